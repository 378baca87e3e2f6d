# calque_options: what all of our own code is compiled with. Also asks the compiler which
# instruction sets these flags allow it to use, and writes them into base/version.h.

add_library(calque_options INTERFACE)
target_include_directories(calque_options INTERFACE
  ${PROJECT_SOURCE_DIR}/src ${PROJECT_BINARY_DIR}/generated)
target_compile_options(calque_options INTERFACE -Wall -Wextra)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC bug 105651: a false warning about "text" + std::string, gone in GCC 13.
  target_compile_options(calque_options INTERFACE -Wno-restrict)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # Newer clangs warn of what std::stable_sort uses inside, in libstdc++ 12.
  target_compile_options(calque_options INTERFACE -Wno-deprecated-declarations)
endif()
target_compile_definitions(calque_options INTERFACE EIGEN_DONT_PARALLELIZE)
target_link_libraries(calque_options INTERFACE Threads::Threads)

if(CALQUE_MARCH)
  set(march_flags -march=${CALQUE_MARCH})
endif()
target_compile_options(calque_options INTERFACE ${march_flags})

if(CALQUE_SANITIZE)
  set(sanitize_flags -fsanitize=${CALQUE_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_compile_options(calque_options INTERFACE ${sanitize_flags})
  target_link_options(calque_options INTERFACE ${sanitize_flags})
endif()

separate_arguments(user_flags UNIX_COMMAND "${CMAKE_CXX_FLAGS}")
execute_process(
  COMMAND ${CMAKE_CXX_COMPILER} ${user_flags} ${march_flags} -dM -E -x c++ /dev/null
  OUTPUT_VARIABLE predefined_macros COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL
  "__(SSE3|SSSE3|SSE4_1|SSE4_2|POPCNT|AVX[A-Z0-9]*|FMA|F16C|BMI|BMI2|LZCNT|MOVBE|GFNI)__ 1"
  required_instructions "${predefined_macros}")
list(TRANSFORM required_instructions REPLACE "^__(.+)__ 1$" "\"\\1\", ")
list(SORT required_instructions)
list(JOIN required_instructions "" required_instructions)
configure_file(${PROJECT_SOURCE_DIR}/cmake/version.h.in
  ${PROJECT_BINARY_DIR}/generated/base/version.h @ONLY)
