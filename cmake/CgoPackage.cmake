# What `cmake --install` adds for people, and the .deb that cpack makes.
include(GNUInstallDirs)
set(documents ${CMAKE_INSTALL_DATADIR}/doc/lldb-cgo)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${documents})
install(FILES cmake/copyright DESTINATION ${documents})

# cpack takes what is built; it does not build all tests first.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME lldb-cgo)
set(CPACK_PACKAGE_CONTACT "lldb-cgo maintainers <maintainers@lldb-cgo.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "one true stack over Go and C, in LLDB and from cores")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"An LLDB plugin and a program for scripts and crash triage that show programs which mix Go and C or
 C++ through cgo: frames of Go, C and C++ in one list, at any nesting depth, through signal frames.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
# Cores are read without LLDB; processes, scripts and the plugin need it.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "lldb-22")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "bash-completion")
find_program(SHLIBDEPS_PROGRAM dpkg-shlibdeps)
if(SHLIBDEPS_PROGRAM)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
else()
  set(CPACK_DEBIAN_PACKAGE_DEPENDS "libc6, libstdc++6, libfmt9, libunwind8, libzstd1, libzydis4.0, zlib1g")
endif()
include(CPack)
