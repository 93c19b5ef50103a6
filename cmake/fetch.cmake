# Fetching data sets needs libcurl, libarchive and libcrypto: their headers here, their files when something is fetched
# (datasets/fetch/libraries.h says why they are not linked).
option(DN_FETCH "Build `dunlin data fetch`: needs the headers of libcurl, libarchive and OpenSSL" ON)

# dn_fetch_sources(LIST) leaves in LIST what this build can have of datasets/fetch.
function(dn_fetch_sources list)
  set(sources ${${list}})
  if(DN_FETCH)
    list(FILTER sources EXCLUDE REGEX "/fetch/absent\\.c$")
  else()
    list(FILTER sources EXCLUDE REGEX "/fetch/[a-z_]+\\.c$")
    list(APPEND sources ${PROJECT_SOURCE_DIR}/datasets/fetch/catalogue.c ${PROJECT_SOURCE_DIR}/datasets/fetch/absent.c)
  endif()
  set(${list} ${sources} PARENT_SCOPE)
endfunction()

# The name that the linker would write down for a library, such as libcurl.so.4.
function(dn_loaded_file target definition library)
  find_library(DN_${library}_LIBRARY ${library} REQUIRED)
  execute_process(COMMAND ${CMAKE_READELF} -d ${DN_${library}_LIBRARY} OUTPUT_VARIABLE dynamic ERROR_QUIET)
  if(NOT dynamic MATCHES "SONAME[^[]*\\[([^]]+)\\]")
    message(FATAL_ERROR "${DN_${library}_LIBRARY} has no name that it can be loaded by (a static library?): "
      "configure with -DDN_FETCH=OFF")
  endif()
  target_compile_definitions(${target} PRIVATE ${definition}="${CMAKE_MATCH_1}")
endfunction()

# dn_fetch_flags(TARGET) gives a target with these sources the headers and the names of the libraries.
function(dn_fetch_flags target)
  target_include_directories(${target} SYSTEM PUBLIC ${CURL_INCLUDE_DIRS} ${ARCHIVE_INCLUDE_DIRS}
    ${CRYPTO_INCLUDE_DIRS})
  dn_loaded_file(${target} DN_CURL_FILE curl)
  dn_loaded_file(${target} DN_ARCHIVE_FILE archive)
  dn_loaded_file(${target} DN_CRYPTO_FILE crypto)
  target_link_libraries(${target} PUBLIC ${CMAKE_DL_LIBS})
endfunction()

if(DN_FETCH)
  pkg_check_modules(CURL REQUIRED libcurl)
  pkg_check_modules(ARCHIVE REQUIRED libarchive)
  pkg_check_modules(CRYPTO REQUIRED libcrypto)
endif()
