# What `cmake --install` puts where, and the two descriptions (pkg-config, CMake package) that tell other builds.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS dunlin ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY apps/recipes/ DESTINATION ${CMAKE_INSTALL_DATADIR}/dunlin/recipes FILES_MATCHING PATTERN "*.yaml")
# Under a directory of their own, so that `#include "core/status.h"` reads the same in and outside of the project.
foreach(folder core layers optim datasets ood)
  install(DIRECTORY ${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/dunlin FILES_MATCHING PATTERN "*.h"
    PATTERN "core/cpu" EXCLUDE)
endforeach()

get_directory_property(apps DIRECTORY apps BUILDSYSTEM_TARGETS)
foreach(target ${apps})
  get_target_property(type ${target} TYPE)
  if(type STREQUAL EXECUTABLE)
    install(TARGETS ${target} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()

# Collects what a program must link beside libdunlin.a from the targets themselves, so that an optional dependency is
# named exactly when it was built in: pkg-config modules in DN_MODULES, everything else in DN_LIBRARIES.
function(dn_collect_requirements target)
  get_target_property(linked ${target} INTERFACE_LINK_LIBRARIES)
  if(NOT linked)
    return()
  endif()
  foreach(library ${linked})
    string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" library "${library}")
    if(library MATCHES "^dn_")
      dn_collect_requirements(${library})
    elseif(library MATCHES "^PkgConfig::(.*)$")
      set_property(GLOBAL APPEND PROPERTY DN_MODULES ${${CMAKE_MATCH_1}_MODULE_NAME})
    elseif(library STREQUAL "ZLIB::ZLIB")
      set_property(GLOBAL APPEND PROPERTY DN_MODULES zlib)
    elseif(library STREQUAL "OpenMP::OpenMP_C")
      set_property(GLOBAL APPEND PROPERTY DN_LIBRARIES ${OpenMP_C_FLAGS})
    elseif(library STREQUAL "DNNL::dnnl")
      set_property(GLOBAL APPEND PROPERTY DN_LIBRARIES -ldnnl)
    elseif(library MATCHES "^[A-Za-z0-9_]+$" AND NOT TARGET ${library})
      set_property(GLOBAL APPEND PROPERTY DN_LIBRARIES -l${library})
    else()
      message(FATAL_ERROR "cmake/install.cmake does not know how an installed libdunlin.a links '${library}' "
        "(wanted by ${target}): add a line to dn_collect_requirements")
    endif()
  endforeach()
endfunction()
dn_collect_requirements(dunlin)
get_property(DN_MODULES GLOBAL PROPERTY DN_MODULES)
get_property(DN_LIBRARIES GLOBAL PROPERTY DN_LIBRARIES)
list(REMOVE_DUPLICATES DN_MODULES)
list(REMOVE_DUPLICATES DN_LIBRARIES)
list(JOIN DN_MODULES " " DN_MODULES)
list(JOIN DN_LIBRARIES " " DN_LIBRARIES_TEXT)

# From the directory of dunlin.pc back to the prefix.
file(RELATIVE_PATH DN_PREFIX_FROM_PC /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
set(DN_PACKAGE ${CMAKE_INSTALL_LIBDIR}/cmake/dunlin)
configure_file(cmake/dunlin.pc.in dunlin.pc @ONLY)
configure_package_config_file(cmake/dunlin-config.cmake.in dunlin-config.cmake INSTALL_DESTINATION ${DN_PACKAGE}
  PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(dunlin-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/dunlin.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/dunlin-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/dunlin-config-version.cmake
  DESTINATION ${DN_PACKAGE})
