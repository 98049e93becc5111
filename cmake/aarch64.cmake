# Toolchain file for ARM64 on an amd64 Debian: g++-aarch64-linux-gnu, the libraries of `dpkg --add-architecture arm64`, and
# qemu-user, under which ctest runs the tests. tests/systems/arm64 installs them.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64)
# pkg-config's own path is that of amd64.
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
