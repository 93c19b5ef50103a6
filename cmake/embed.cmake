# Recipes as C: `cmake -DOUTPUT=FILE.c "-DFILES=a.yaml;b.yaml" -P embed.cmake` writes the arrays that
# apps/recipe_shipped.h declares. Included from a CMakeLists.txt, it gives dn_embed_recipes(TARGET), which adds that
# file to a target and makes it anew whenever a recipe changes.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(DN_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
  function(dn_embed_recipes target)
    file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/apps/recipes/*.yaml)
    set(output ${CMAKE_CURRENT_BINARY_DIR}/recipe_shipped.c)
    add_custom_command(OUTPUT ${output} DEPENDS ${files} ${DN_EMBED_SCRIPT} VERBATIM COMMENT "Embedding the recipes"
      COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} "-DFILES=${files}" -P ${DN_EMBED_SCRIPT})
    target_sources(${target} PRIVATE ${output})
  endfunction()
  return()
endif()

cmake_minimum_required(VERSION 3.25)
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
  file(READ ${file} bytes HEX)
  # Lines of 24 bytes; a byte above 127 does not fit a char constant and fails the build: recipes are ASCII.
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(REPEAT "0x[0-9a-f][0-9a-f]," 24 line)
  string(REGEX REPLACE "(${line})" "\\1\n    " bytes "${bytes}")
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
