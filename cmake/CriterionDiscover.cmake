# SPDX-License-Identifier: MIT
# criterion_discover_tests(TARGET [LABELS label...] [TIMEOUT seconds])
# One CTest entry TARGET.SUITE.TEST for each Criterion test, listed after each link.
set(criterion_discover_dir ${CMAKE_CURRENT_LIST_DIR})

function(criterion_discover_tests target)
  cmake_parse_arguments(arg "" "TIMEOUT" "LABELS" ${ARGN})
  set(include ${CMAKE_CURRENT_BINARY_DIR}/${target}_include.cmake)
  set(tests ${CMAKE_CURRENT_BINARY_DIR}/${target}_tests.cmake)
  add_custom_command(TARGET ${target} POST_BUILD BYPRODUCTS ${tests} VERBATIM
    COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:${target}> -DPREFIX=${target}
      -DOUTPUT=${tests} -DTIMEOUT=${arg_TIMEOUT} "-DLABELS=${arg_LABELS}"
      -P ${criterion_discover_dir}/CriterionDiscoverRun.cmake)
  file(WRITE ${include} "if(EXISTS \"${tests}\")
  include(\"${tests}\")
else()
  add_test(${target}_NOT_BUILT ${target}_NOT_BUILT)
endif()
")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${include})
endfunction()
