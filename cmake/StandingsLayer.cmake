# standings_layer(NAME SOURCES ... [PATH folder] [SUBLAYERS folder ...] [USES layer ...]
#                 [LIBRARIES target ...] [TESTS file ...] [TEST_USES layer ...])
#
# One layer is one static library whose include path holds nothing but itself and the layers in
# USES: each layer's headers are copied by symlink into a folder of their own, so that an include of
# a layer that is not named does not resolve. Tests of the layer link it, testkit parts are up to
# TEST_USES.
#
# A layer below another one (ledger_sqlite in ledger/sqlite) gives its PATH, and the upper one names
# it in SUBLAYERS: who uses the upper one only does not see the headers of the lower.
function(standings_layer name)
  cmake_parse_arguments(LAYER "" "PATH" "SOURCES;SUBLAYERS;USES;LIBRARIES;TESTS;TEST_USES" ${ARGN})
  if(NOT LAYER_PATH)
    set(LAYER_PATH "${name}")
  endif()

  set(view "${CMAKE_BINARY_DIR}/include/${name}")
  if(LAYER_SUBLAYERS)
    file(GLOB headers CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.h")
    file(REMOVE_RECURSE "${view}")
    file(MAKE_DIRECTORY "${view}/${LAYER_PATH}")
    foreach(header ${headers})
      get_filename_component(file "${header}" NAME)
      file(CREATE_LINK "${header}" "${view}/${LAYER_PATH}/${file}" SYMBOLIC)
    endforeach()
  else()
    get_filename_component(parent "${view}/${LAYER_PATH}" DIRECTORY)
    file(MAKE_DIRECTORY "${parent}")
    file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}" "${view}/${LAYER_PATH}" SYMBOLIC)
  endif()

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

  foreach(below ${LAYER_SUBLAYERS})
    add_subdirectory("${below}")
  endforeach()
endfunction()

include(GoogleTest)

# One ctest entry per test case, labelled with its program; found when ctest runs, so that a build
# needs no run.
function(standings_discover_tests target)
  gtest_discover_tests(${target} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT 300 LABELS ${target})
endfunction()
