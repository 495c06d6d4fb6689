# standings_fuzz(NAME SOURCE [USES layer ...] [LIBRARIES target ...])
#
# One fuzz target: SOURCE defines LLVMFuzzerTestOneInput. In the preset `fuzz` it becomes a libFuzzer
# program that `./dev fuzz` runs. In every other tree its kept inputs, fuzz/corpus/NAME/, are replayed
# as one ordinary test.
add_custom_target(fuzzers)
file(WRITE "${CMAKE_BINARY_DIR}/fuzzers.txt" "")

function(standings_fuzz name source)
  cmake_parse_arguments(FUZZ "MUST_FAIL" "" "USES;LIBRARIES" ${ARGN})
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE standings_options ${FUZZ_LIBRARIES})
  foreach(used ${FUZZ_USES})
    target_link_libraries(${name} PRIVATE standings::${used})
  endforeach()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")

  if(STANDINGS_SANITIZE MATCHES "fuzzer")
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzzers ${name})
    file(APPEND "${CMAKE_BINARY_DIR}/fuzzers.txt" "${name}\n")
    return()
  endif()

  target_sources(${name} PRIVATE "${CMAKE_SOURCE_DIR}/fuzz/replay_main.cc")
  set(corpus "${CMAKE_SOURCE_DIR}/fuzz/corpus/${name}")
  if(FUZZ_MUST_FAIL)
    add_test(NAME fuzz.${name} COMMAND sh -c "\"$0\" \"$1\" 2>&1 | grep -q 'the canary died'" $<TARGET_FILE:${name}> "${corpus}")
  else()
    add_test(NAME fuzz.${name} COMMAND ${name} "${corpus}")
  endif()
endfunction()
