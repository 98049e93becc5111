# Install rules, so that other projects find the library with find_package(seq2seq). The components program, library and
# development are the packages of Package.cmake.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(targets seq2seq seq2seq_inference seq2seq_shared seq2seq_base seq2seq_tokenizer)
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

# Modules that the library opens at run time, found by the run path of the program or library that contains it.
set(modules seq2seq_sentencepiece)
if(SEQ2SEQ_IMAGES)
  list(APPEND modules seq2seq_images)
endif()
set(modules_folder ${CMAKE_INSTALL_LIBDIR}/seq2seq)
install(TARGETS ${modules} LIBRARY DESTINATION ${modules_folder} COMPONENT library)
target_link_options(seq2seq_inference INTERFACE $<INSTALL_INTERFACE:-Wl,-rpath,$<INSTALL_PREFIX>/${modules_folder}>)
set_target_properties(seq2seq_shared PROPERTIES INSTALL_RPATH "$ORIGIN/seq2seq")

if(SEQ2SEQ_PROGRAM)
  set_target_properties(seq2seq_program PROPERTIES INSTALL_RPATH "$ORIGIN/../${modules_folder}")
  install(TARGETS seq2seq_program COMPONENT program)
  if(NOT CMAKE_CROSSCOMPILING)
    install(FILES ${PROJECT_BINARY_DIR}/seq2seq.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
    install(FILES ${PROJECT_BINARY_DIR}/seq2seq.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
            COMPONENT program RENAME seq2seq)
  endif()
endif()

include(cmake/PublicHeaders.cmake)
foreach(header IN LISTS inference_interface seq2seq_interface included_headers)
  cmake_path(GET header PARENT_PATH folder)
  install(FILES ${PROJECT_SOURCE_DIR}/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/${folder} COMPONENT development)
endforeach()

set(config ${CMAKE_INSTALL_LIBDIR}/cmake/seq2seq)
install(EXPORT seq2seqTargets NAMESPACE seq2seq:: DESTINATION ${config} COMPONENT development)
configure_package_config_file(cmake/seq2seqConfig.cmake.in ${PROJECT_BINARY_DIR}/seq2seqConfig.cmake
                              INSTALL_DESTINATION ${config})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/seq2seqConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/seq2seqConfig.cmake ${PROJECT_BINARY_DIR}/seq2seqConfigVersion.cmake cmake/Dependencies.cmake
        DESTINATION ${config} COMPONENT development)
