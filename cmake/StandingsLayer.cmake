# standings_layer(NAME SOURCES ... [USES layer ...] [LIBRARIES target ...] [TESTS file ...])
#
# One layer is one static library whose include path holds nothing but itself and the layers in
# USES: each layer's headers are copied by symlink into a folder of their own, so that an include of
# a layer that is not named does not resolve. Tests of the layer link it, testkit parts are up to
# TEST_USES.
function(standings_layer name)
  cmake_parse_arguments(LAYER "" "" "SOURCES;USES;LIBRARIES;TESTS;TEST_USES" ${ARGN})

  set(view "${CMAKE_BINARY_DIR}/include/${name}")
  file(MAKE_DIRECTORY "${view}")
  file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}" "${view}/${name}" SYMBOLIC)

  add_library(${name} STATIC ${LAYER_SOURCES})
  add_library(standings::${name} ALIAS ${name})
  target_include_directories(${name} PUBLIC "${view}")
  target_link_libraries(${name} PRIVATE standings_options)
  foreach(used ${LAYER_USES})
    target_link_libraries(${name} PRIVATE standings::${used})
  endforeach()
  target_link_libraries(${name} PRIVATE ${LAYER_LIBRARIES})

  if(LAYER_TESTS)
    add_executable(${name}_test ${LAYER_TESTS})
    target_link_libraries(${name}_test PRIVATE standings_options standings::${name}
      GTest::gtest_main Threads::Threads ${LAYER_LIBRARIES})
    foreach(used ${LAYER_USES} ${LAYER_TEST_USES})
      target_link_libraries(${name}_test PRIVATE standings::${used})
    endforeach()
    standings_discover_tests(${name}_test)
  endif()
endfunction()

include(GoogleTest)

# One ctest entry per test case, labelled with its program; found when ctest runs, so that a build
# needs no run.
function(standings_discover_tests target)
  gtest_discover_tests(${target} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT 300 LABELS ${target})
endfunction()
