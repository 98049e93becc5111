# Debian packages of the install components, made by `cpack -G DEB --config build/release/CPackConfig.cmake`
# with dpkg-dev at hand.
set(CPACK_PACKAGE_NAME seq2seq)
set(CPACK_PACKAGE_CONTACT "The seq2seq authors <seq2seq@localhost>")
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_COMPONENTS_ALL library development)
if(SEQ2SEQ_PROGRAM)
  list(APPEND CPACK_COMPONENTS_ALL program)
endif()
if(SEQ2SEQ_IMAGES)
  list(APPEND CPACK_COMPONENTS_ALL images)
endif()
if(SEQ2SEQ_TRAINING)
  list(APPEND CPACK_COMPONENTS_ALL training_development)
  if(SEQ2SEQ_PROGRAM)
    list(APPEND CPACK_COMPONENTS_ALL training)
  endif()
endif()
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)  # Adds the packages of linked libraries to the dependencies below.
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(same "= ${PROJECT_VERSION}")

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME seq2seq)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_DEPENDS "libseq2seq (${same})")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS seq2seq-training)
set(CPACK_DEBIAN_PROGRAM_DESCRIPTION
    "The program: decodes with models for translation, image captioning, grapheme-to-phoneme conversion,
text classification and language modelling, encoder-decoders with attention and LSTM, GRU or other
recurrent cells, with beam search or sampling from the command line, evaluates, and serves over HTTP.
With the package seq2seq-training it also trains them.")

# The reference BLAS, which satisfies LibTorch's dependency, is 50 times slower.
set(CPACK_DEBIAN_TRAINING_PACKAGE_NAME seq2seq-training)
set(CPACK_DEBIAN_TRAINING_PACKAGE_SECTION science)
set(CPACK_DEBIAN_TRAINING_PACKAGE_DEPENDS "seq2seq (${same}), libopenblas0-openmp")
set(CPACK_DEBIAN_TRAINING_DESCRIPTION
    "What the program needs LibTorch for: training, TorchScript image networks, and CUDA where LibTorch has
it. The program seq2seq runs it by itself.")

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libseq2seq)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SUGGESTS seq2seq-images)
set(CPACK_DEBIAN_LIBRARY_DESCRIPTION
    "The shared library, which decodes, with interfaces for C++, C and Python, and the module that it and the program open
at run time to read text.")

# By itself, since OpenCV brings some 130 packages.
set(CPACK_DEBIAN_IMAGES_PACKAGE_NAME seq2seq-images)
set(CPACK_DEBIAN_IMAGES_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_IMAGES_PACKAGE_DEPENDS "libseq2seq (${same})")
set(CPACK_DEBIAN_IMAGES_DESCRIPTION
    "The module that libseq2seq and the program open at run time to read images and ONNX networks.")

set(development
    "libseq2seq (${same})"
    pkg-config
    libabsl-dev
    libyaml-cpp-dev
    nlohmann-json3-dev
    zlib1g-dev
    libzstd-dev
    liblzma-dev
    libutf8proc-dev
    libstemmer-dev
    libre2-dev)
if(SEQ2SEQ_KERNELS)
  list(APPEND development libhwy-dev)
endif()
list(JOIN development ", " development)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libseq2seq-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${development}")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION
    "Headers, static libraries and CMake files: find_package(seq2seq) provides seq2seq::inference, static,
which decodes, and seq2seq::shared.")

set(CPACK_DEBIAN_TRAINING_DEVELOPMENT_PACKAGE_NAME libseq2seq-training-dev)
set(CPACK_DEBIAN_TRAINING_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_TRAINING_DEVELOPMENT_PACKAGE_DEPENDS "libseq2seq-dev (${same}), libtorch-dev, libopenblas0-openmp")
set(CPACK_DEBIAN_TRAINING_DEVELOPMENT_DESCRIPTION
    "Headers and the static library of seq2seq::seq2seq, which trains on LibTorch.")

foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER ${component} id)
  install(
    FILES LICENSE
    DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/${CPACK_DEBIAN_${id}_PACKAGE_NAME}
    COMPONENT ${component}
    RENAME copyright)
endforeach()
include(CPack)
