# Recipes as C: `cmake -DOUTPUT=FILE.c "-DFILES=a.yaml;b.yaml" -P embed.cmake` writes the arrays that
# apps/recipe_shipped.h declares; with -DTEXTS=ON, `const char dn__text_NAME_ENDING[]` for any ASCII files. Included
# from a CMakeLists.txt, it gives dn_embed_recipes(TARGET) and dn_embed_texts(TARGET FILES...), which add such a file to
# a target and make it anew whenever a source changes.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(DN_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
  function(dn_embed_recipes target)
    file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/apps/recipes/*.yaml)
    set(output ${CMAKE_CURRENT_BINARY_DIR}/recipe_shipped.c)
    add_custom_command(OUTPUT ${output} DEPENDS ${files} ${DN_EMBED_SCRIPT} VERBATIM COMMENT "Embedding the recipes"
      COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} "-DFILES=${files}" -P ${DN_EMBED_SCRIPT})
    target_sources(${target} PRIVATE ${output})
  endfunction()
  function(dn_embed_texts target)
    list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE files)
    set(output ${CMAKE_CURRENT_BINARY_DIR}/embedded_texts.c)
    add_custom_command(OUTPUT ${output} DEPENDS ${files} ${DN_EMBED_SCRIPT} VERBATIM COMMENT "Embedding texts"
      COMMAND ${CMAKE_COMMAND} -DTEXTS=ON -DOUTPUT=${output} "-DFILES=${files}" -P ${DN_EMBED_SCRIPT})
    target_sources(${target} PRIVATE ${output})
  endfunction()
  return()
endif()

cmake_minimum_required(VERSION 3.25)

# Lines of 24 bytes; a byte above 127 does not fit a char constant and fails the build: texts are ASCII.
function(read_bytes file out)
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(REPEAT "0x[0-9a-f][0-9a-f]," 24 line)
  string(REGEX REPLACE "(${line})" "\\1\n    " bytes "${bytes}")
  set(${out} "${bytes}" PARENT_SCOPE)
endfunction()

if(TEXTS)
  foreach(file ${FILES})
    get_filename_component(name ${file} NAME)
    string(MAKE_C_IDENTIFIER ${name} name)
    read_bytes(${file} bytes)
    string(APPEND arrays "extern const char dn__text_${name}[];\nconst char dn__text_${name}[] = {\n    ${bytes}0};\n")
  endforeach()
  file(WRITE ${OUTPUT} "/* Made by cmake/embed.cmake. */\n${arrays}")
  return()
endif()

list(TRANSFORM FILES REPLACE "\\.yaml$" "") # so that a-b comes after a
list(SORT FILES)
foreach(stem ${FILES})
  set(file ${stem}.yaml)
  get_filename_component(name ${file} NAME_WE)
  file(STRINGS ${file} description REGEX "^description: ")
  string(REGEX REPLACE "^description: " "" description "${description}")
  if(description STREQUAL "" OR description MATCHES "[\"'\\;]")
    message(FATAL_ERROR "${file}: a shipped recipe needs one line 'description: ...' without quotes and semicolons")
  endif()
  read_bytes(${file} bytes)
  list(LENGTH names index)
  list(APPEND names "    \"${name}\"")
  list(APPEND descriptions "    \"${description}\"")
  list(APPEND texts "    text_${index}")
  string(APPEND arrays "static const char text_${index}[] = { /* ${name} */\n    ${bytes}0};\n\n")
endforeach()
list(LENGTH names count)
list(JOIN names ",\n" names)
list(JOIN descriptions ",\n" descriptions)
list(JOIN texts ",\n" texts)
file(WRITE ${OUTPUT} "/* Made by cmake/embed.cmake. */\n#include \"apps/recipe_shipped.h\"\n\n${arrays}"
  "const int dn__shipped_count = ${count};\n\n"
  "const char *const dn__shipped_names[] = {\n${names}};\n\n"
  "const char *const dn__shipped_descriptions[] = {\n${descriptions}};\n\n"
  "const char *const dn__shipped_texts[] = {\n${texts}};\n")
