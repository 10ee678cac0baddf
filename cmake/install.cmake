# SPDX-License-Identifier: MIT
# Headers, libraries, the command, the CMake package and the pkg-config files.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS shmring_static shmring_shared EXPORT shmring-targets FILE_SET HEADERS)
if(TARGET shmring_hub_static)
  install(TARGETS shmring_hub_static shmring_hub_shared EXPORT shmring-hub-targets
    FILE_SET HEADERS)
endif()
if(TARGET shmring-cli)
  install(TARGETS shmring-cli)
endif()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/shmring)
install(EXPORT shmring-targets NAMESPACE shmring:: DESTINATION ${package_dir})
if(TARGET shmring_hub_static)
  install(EXPORT shmring-hub-targets NAMESPACE shmring:: DESTINATION ${package_dir})
endif()
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/shmring-config.cmake.in
  ${PROJECT_BINARY_DIR}/shmring-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/shmring-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/shmring-config.cmake ${PROJECT_BINARY_DIR}/shmring-config-version.cmake
  DESTINATION ${package_dir})

# The prefix is given from where the .pc file lies, so that the tree can be moved.
file(RELATIVE_PATH to_prefix
  ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
file(RELATIVE_PATH pc_libdir ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH pc_includedir ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
string(REGEX REPLACE "/$" "" to_prefix ${to_prefix})
set(pc_files shmring.pc)
if(TARGET shmring_hub_static)
  list(APPEND pc_files shmring-hub.pc)
endif()
foreach(file IN LISTS pc_files)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/${file}.in ${PROJECT_BINARY_DIR}/${file} @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${file} DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
