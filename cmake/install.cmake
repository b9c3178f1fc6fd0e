# The core alone: library, headers, CMake package, pkg-config file, and the notice of what is built in.
include(CMakePackageConfigHelpers)
install(TARGETS sidelook EXPORT sidelookTargets)
install(DIRECTORY cpp/include/sidelook DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES ${SIDELOOK_DUCC0_NOTICE} DESTINATION ${CMAKE_INSTALL_DATADIR}/licenses/sidelook)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/licenses/sidelook)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/sidelook)
install(EXPORT sidelookTargets NAMESPACE sidelook:: DESTINATION ${package_dir})
write_basic_package_version_file(sidelookConfigVersion.cmake COMPATIBILITY SameMinorVersion)
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/sidelookConfig.cmake
  "include(\"\${CMAKE_CURRENT_LIST_DIR}/sidelookTargets.cmake\")\n")
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sidelookConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/sidelookConfigVersion.cmake
  DESTINATION ${package_dir})
# From the file's own place, so that the folder may be named at installation or moved afterwards.
file(RELATIVE_PATH SIDELOOK_PC_TO_PREFIX ${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/sidelook.pc.in sidelook.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sidelook.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
