# All external dependencies. `setup` installs them on Debian and Ubuntu.
if(NOT SEQ2SEQ_INSTALLED)
  # Makes the targets visible to a project that includes this one, which needs CMake 3.24 for this variable.
  set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)
endif()
if(SEQ2SEQ_TRAINING)
  find_package(Torch 1.13 REQUIRED)
  if(SEQ2SEQ_PROCESSES AND NOT SEQ2SEQ_INSTALLED)
    find_path(GLOO_INCLUDE_DIR gloo/transport/device.h REQUIRED)  # The library is a part of LibTorch.
  endif()
endif()
find_package(absl REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Threads REQUIRED)
if(SEQ2SEQ_PROGRAM OR (SEQ2SEQ_BENCHMARKS AND SEQ2SEQ_KERNELS))
  find_package(CLI11 REQUIRED)
endif()
if(SEQ2SEQ_PROGRAM)
  find_package(spdlog REQUIRED)
endif()

# SentencePiece and utf8proc have pkg-config files only, as RE2 in Debian 12; zstd and xz have them wherever they come from.
find_package(PkgConfig REQUIRED)
if(NOT SEQ2SEQ_INSTALLED)
  pkg_check_modules(sentencepiece REQUIRED IMPORTED_TARGET GLOBAL sentencepiece)
endif()
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET GLOBAL libzstd>=1.4)
pkg_check_modules(lzma REQUIRED IMPORTED_TARGET GLOBAL liblzma>=5.2)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET GLOBAL libutf8proc)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET GLOBAL re2)
# Debian's utf8proc.pc exports a flag of its own build.
set_property(TARGET PkgConfig::utf8proc PROPERTY INTERFACE_COMPILE_OPTIONS "")

# Snowball's libstemmer has neither CMake nor pkg-config files.
find_path(STEMMER_INCLUDE_DIR libstemmer.h REQUIRED)
find_library(STEMMER_LIBRARY stemmer REQUIRED)
if(NOT TARGET Stemmer::stemmer)
  add_library(Stemmer::stemmer UNKNOWN IMPORTED GLOBAL)
endif()
set_target_properties(Stemmer::stemmer PROPERTIES IMPORTED_LOCATION ${STEMMER_LIBRARY}
                                                  INTERFACE_INCLUDE_DIRECTORIES ${STEMMER_INCLUDE_DIR})

if(SEQ2SEQ_KERNELS)
  find_package(OpenMP REQUIRED COMPONENTS CXX)
  find_package(hwy REQUIRED)
endif()

if(SEQ2SEQ_IMAGES)
  # OpenCVConfig.cmake is in a package that depends on all of OpenCV and its user interfaces.
  find_path(OPENCV_INCLUDE_DIR opencv2/imgcodecs.hpp PATH_SUFFIXES opencv4 REQUIRED)
  add_library(OpenCV::images INTERFACE IMPORTED GLOBAL)
  target_include_directories(OpenCV::images SYSTEM INTERFACE ${OPENCV_INCLUDE_DIR})
  foreach(part core imgproc imgcodecs dnn)
    find_library(OPENCV_${part} opencv_${part} REQUIRED)
    target_link_libraries(OpenCV::images INTERFACE ${OPENCV_${part}})
  endforeach()
endif()
