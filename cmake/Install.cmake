# Install rules, so that other projects find the library with find_package(seq2seq). The components program, library,
# images and development, and with LibTorch training and training_development, are the packages of Package.cmake.
include(CMakePackageConfigHelpers)

set(targets seq2seq_inference seq2seq_shared seq2seq_base seq2seq_tokenizer)
if(SEQ2SEQ_SERVER)
  list(APPEND targets seq2seq_serve)
endif()
if(SEQ2SEQ_KERNELS)
  list(APPEND targets seq2seq_kernels)
endif()
foreach(target IN LISTS targets)
  string(REPLACE seq2seq_ "" name ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
endforeach()
install(
  TARGETS ${targets}
  EXPORT seq2seqTargets
  ARCHIVE COMPONENT development
  LIBRARY COMPONENT library NAMELINK_COMPONENT development)
if(SEQ2SEQ_TRAINING)
  install(TARGETS seq2seq EXPORT seq2seqTrainingTargets ARCHIVE COMPONENT training_development)
endif()

# Modules that the library opens at run time, found by the run path of the program or library that contains it.
set(modules_folder ${CMAKE_INSTALL_LIBDIR}/seq2seq)
install(TARGETS seq2seq_sentencepiece LIBRARY DESTINATION ${modules_folder} COMPONENT library)
if(SEQ2SEQ_IMAGES)
  install(TARGETS seq2seq_images LIBRARY DESTINATION ${modules_folder} COMPONENT images)
endif()
install(FILES ${PROJECT_SOURCE_DIR}/seq2seq/c_api/seq2seq.py DESTINATION ${modules_folder} COMPONENT library)
target_link_options(seq2seq_inference INTERFACE $<INSTALL_INTERFACE:-Wl,-rpath,$<INSTALL_PREFIX>/${modules_folder}>)
set_target_properties(seq2seq_shared PROPERTIES INSTALL_RPATH "$ORIGIN/seq2seq")

if(SEQ2SEQ_PROGRAM)
  set_target_properties(seq2seq_program PROPERTIES INSTALL_RPATH "$ORIGIN/../${modules_folder}")
  install(TARGETS seq2seq_program COMPONENT program)
  if(SEQ2SEQ_TRAINING)
    file(RELATIVE_PATH modules_from_torch ${CMAKE_INSTALL_FULL_LIBEXECDIR}/seq2seq ${CMAKE_INSTALL_FULL_LIBDIR}/seq2seq)
    set_target_properties(seq2seq_torch PROPERTIES INSTALL_RPATH "$ORIGIN/${modules_from_torch}")
    install(TARGETS seq2seq_torch DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/seq2seq COMPONENT training)
  endif()
  if(NOT CMAKE_CROSSCOMPILING)
    install(FILES ${PROJECT_BINARY_DIR}/seq2seq.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
    install(FILES ${PROJECT_BINARY_DIR}/seq2seq.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
            COMPONENT program RENAME seq2seq)
  endif()
endif()

include(cmake/PublicHeaders.cmake)
foreach(header IN LISTS inference_interface seq2seq_interface included_headers)
  cmake_path(GET header PARENT_PATH folder)
  set(component development)
  if(header IN_LIST seq2seq_interface OR folder MATCHES "^seq2seq/(data|ops|model|train)$")
    set(component training_development)
  endif()
  if(SEQ2SEQ_TRAINING OR component STREQUAL "development")
    install(FILES ${PROJECT_SOURCE_DIR}/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/${folder} COMPONENT ${component})
  endif()
endforeach()

set(config ${CMAKE_INSTALL_LIBDIR}/cmake/seq2seq)
install(EXPORT seq2seqTargets NAMESPACE seq2seq:: DESTINATION ${config} COMPONENT development)
if(SEQ2SEQ_TRAINING)
  install(EXPORT seq2seqTrainingTargets NAMESPACE seq2seq:: DESTINATION ${config} COMPONENT training_development)
endif()
configure_package_config_file(cmake/seq2seqConfig.cmake.in ${PROJECT_BINARY_DIR}/seq2seqConfig.cmake
                              INSTALL_DESTINATION ${config})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/seq2seqConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/seq2seqConfig.cmake ${PROJECT_BINARY_DIR}/seq2seqConfigVersion.cmake cmake/Dependencies.cmake
        DESTINATION ${config} COMPONENT development)
