# Writes LIST: an add_test() for each gtest suite of PROGRAM. Run after PROGRAM was linked.
execute_process(COMMAND ${PROGRAM} --gtest_list_tests OUTPUT_VARIABLE listing RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} --gtest_list_tests: ${status}")
endif()

get_filename_component(program ${PROGRAM} NAME)
# A sanitizer that holds freed memory back would hide from the tests of memory's bounds what the server itself holds.
set(environment "ASAN_OPTIONS=quarantine_size_mb=1:allocator_release_to_os_interval_ms=10")
set(text "")
# Suites stand at the beginning of a line ("LogTest.", "Sizes/SplitTest.  # TypeParam = ..."), cases are indented.
string(REGEX MATCHALL "(^|\n)[A-Za-z0-9_/]+\\." suites "${listing}")
foreach(suite IN LISTS suites)
  string(REGEX REPLACE "[\n.]" "" suite "${suite}")
  string(APPEND text "add_test([==[${LABEL}.${suite}]==] \"${PROGRAM}\" \"--gtest_filter=${suite}.*\")\n"
                     "set_tests_properties([==[${LABEL}.${suite}]==] PROPERTIES LABELS ${LABEL}\n"
                     "  ENVIRONMENT ${environment})\n")
endforeach()
if(text STREQUAL "")
  message(FATAL_ERROR "${program} has no tests")
endif()
file(WRITE ${LIST} "${text}")
