# Finds every library. What is missing is reported at once, as the command that installs it
# (package names of Debian 12, Debian 13 and Ubuntu 24.04).

set(missing_packages "")

macro(calque_require found package)
  if(NOT ${found})
    list(APPEND missing_packages ${package})
  endif()
endmacro()

# An imported target `name` for a library that comes without a CMake config of its own.
function(calque_find_library name header library)
  find_path(${name}_INCLUDE_DIR ${header})
  find_library(${name}_LIBRARY ${library})
  mark_as_advanced(${name}_INCLUDE_DIR ${name}_LIBRARY)
  if(${name}_INCLUDE_DIR AND ${name}_LIBRARY)
    add_library(${name} UNKNOWN IMPORTED GLOBAL)
    set_target_properties(${name} PROPERTIES
      IMPORTED_LOCATION ${${name}_LIBRARY}
      INTERFACE_INCLUDE_DIRECTORIES ${${name}_INCLUDE_DIR})
  endif()
endfunction()

find_package(Threads REQUIRED)

find_package(OpenMP QUIET COMPONENTS CXX)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  calque_require(OpenMP_CXX_FOUND libomp-dev)
else()
  calque_require(OpenMP_CXX_FOUND g++)
endif()

find_package(Eigen3 3.4 QUIET NO_MODULE)
calque_require(Eigen3_FOUND libeigen3-dev)

find_package(fmt QUIET)
calque_require(fmt_FOUND libfmt-dev)

find_package(spdlog QUIET)
calque_require(spdlog_FOUND libspdlog-dev)

find_package(yaml-cpp QUIET)
calque_require(yaml-cpp_FOUND libyaml-cpp-dev)
if(yaml-cpp_FOUND AND NOT TARGET yaml-cpp::yaml-cpp)  # yaml-cpp 0.7
  add_library(yaml-cpp::yaml-cpp ALIAS yaml-cpp)
endif()

find_package(CLI11 QUIET)
calque_require(CLI11_FOUND libcli11-dev)

find_package(nlohmann_json QUIET)
calque_require(nlohmann_json_FOUND nlohmann-json3-dev)

find_package(ZLIB QUIET)
calque_require(ZLIB_FOUND zlib1g-dev)

find_package(ICU QUIET COMPONENTS uc i18n)
calque_require(ICU_FOUND libicu-dev)

calque_find_library(xxhash xxhash.h xxhash)
calque_require(xxhash_LIBRARY libxxhash-dev)

calque_find_library(sentencepiece sentencepiece_processor.h sentencepiece)
calque_find_library(sentencepiece_train sentencepiece_trainer.h sentencepiece_train)
calque_require(sentencepiece_train_LIBRARY libsentencepiece-dev)

# oneDNN is optional. Its own CMake config asks for OpenCL, which its package does not bring along.
if(CALQUE_ONEDNN)
  calque_find_library(onednn dnnl.h dnnl)
  if(NOT TARGET onednn)
    message(STATUS "oneDNN not found (libdnnl-dev): Eigen computes the matrix products")
  endif()
endif()

if(BUILD_TESTING)
  find_package(Catch2 QUIET)
  calque_require(Catch2_FOUND catch2)
  find_package(Python3 QUIET COMPONENTS Interpreter)
  calque_require(Python3_FOUND python3)
endif()

if(missing_packages)
  list(JOIN missing_packages " " missing_packages)
  message(FATAL_ERROR "Libraries are missing. Install them with\n"
    "  apt-get install ${missing_packages}\n"
    "or install all that Calque needs with scripts/setup.sh")
endif()
