# cgo_library(NAME SOURCES … [DEPENDS …] [PRIVATE_LIBRARIES …])
#
# A static library for one folder. Its headers are included as "NAME/header.h" through a directory
# that holds nothing but a link to this one folder, so a folder that does not list NAME among its
# DEPENDS cannot include its headers: layering is checked by the compiler.
function(cgo_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS;PRIVATE_LIBRARIES" ${ARGN})
  set(view ${CMAKE_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${view})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${name} ${view}/${name} SYMBOLIC)

  add_library(cgo-${name} STATIC ${arg_SOURCES})
  target_include_directories(cgo-${name} PUBLIC ${view})
  foreach(dependency IN LISTS arg_DEPENDS)
    target_link_libraries(cgo-${name} PUBLIC cgo-${dependency})
  endforeach()
  target_link_libraries(cgo-${name} PRIVATE ${arg_PRIVATE_LIBRARIES})
  cgo_compile_options(cgo-${name})
endfunction()

function(cgo_compile_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wno-missing-field-initializers)
  if(CGO_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(CGO_BUILD_FUZZERS)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  if(CGO_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=address,undefined -fno-omit-frame-pointer
                                             -fno-sanitize-recover=undefined)
    target_link_options(${target} PUBLIC -fsanitize=address,undefined)
  endif()
endfunction()
