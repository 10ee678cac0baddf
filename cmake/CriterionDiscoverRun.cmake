# SPDX-License-Identifier: MIT
# cmake -DPROGRAM= -DPREFIX= -DOUTPUT= -DTIMEOUT= -DLABELS= -P CriterionDiscoverRun.cmake
# Writes add_test() lines for what PROGRAM --list names. What Criterion itself lets pass
# (leaks, a disabled test, a child that returned into the runner) fails by its text.
execute_process(COMMAND ${PROGRAM} --list --ascii --color=never
  OUTPUT_VARIABLE out ERROR_VARIABLE err RESULT_VARIABLE status TIMEOUT 20)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} --list failed (${status}): ${out}${err}")
endif()

set(fail "ERROR: LeakSanitizer|runtime error: |Received message identified")
set(text "")
string(REPLACE "\n" ";" lines "${out}${err}")
foreach(line IN LISTS lines)
  if(line MATCHES "^([A-Za-z0-9_]+): [0-9]+ tests?$")
    set(suite ${CMAKE_MATCH_1})
  elseif(line MATCHES "^[|`]-- ([A-Za-z0-9_]+)( .*)?$")
    set(test ${CMAKE_MATCH_1})
    set(name ${PREFIX}.${suite}.${test})
    set(skip "SKIP. ${suite}::${test}: ")
    string(APPEND text "add_test([==[${name}]==] [==[${PROGRAM}]==] -j1 --verbose --color=never"
      " --short-filename --filter ${suite}/${test})\n"
      "set_tests_properties([==[${name}]==] PROPERTIES TIMEOUT \"${TIMEOUT}\""
      " LABELS \"${LABELS}\" SKIP_REGULAR_EXPRESSION \"${skip}\""
      " FAIL_REGULAR_EXPRESSION \"${fail}|${skip}Test is disabled\")\n")
  endif()
endforeach()
if(text STREQUAL "")
  message(FATAL_ERROR "${PROGRAM} lists no test: ${out}${err}")
endif()
file(WRITE "${OUTPUT}" "${text}")
