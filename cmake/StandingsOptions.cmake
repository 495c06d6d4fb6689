# Compiler settings that every target shares.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

set(STANDINGS_SANITIZE "" CACHE STRING "Sanitizers for every target, e.g. address,undefined or thread")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER "${CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
endif()

add_library(standings_options INTERFACE)
target_compile_options(standings_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wno-missing-field-initializers -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False alarms of GCC 12 inside the standard library once it inlines deeply.
  target_compile_options(standings_options INTERFACE
    -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds
    -Wno-maybe-uninitialized)
else()
  # Clang builds the fuzz targets only: what is worth a warning is GCC's business, and clang-tidy's.
  target_compile_options(standings_options INTERFACE -w)
endif()

if(STANDINGS_SANITIZE)
  add_compile_options(-fsanitize=${STANDINGS_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${STANDINGS_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND STANDINGS_SANITIZE MATCHES "undefined")
    # They cost the compiler much of its time. ASan stops at a null pointer anyway; the fuzz targets,
    # which Clang builds, have these checks too.
    add_compile_options(-fno-sanitize=null,alignment,object-size,vptr)
  endif()
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  # Without link-time optimisation: with it GCC 12 calls what it inlines without (strings, numbers
  # to text), which is up to a third more instructions a request, and links for minutes.
  add_compile_options(-D_FORTIFY_SOURCE=2 -fstack-protector-strong -fcf-protection)
  add_link_options(-Wl,-z,relro,-z,now)
endif()
