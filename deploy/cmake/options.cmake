# Compiler options of every target: tsplink_options for all of ours, tsplink_module() for a TSP.

add_library(tsplink_options INTERFACE)
target_include_directories(tsplink_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(tsplink_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual -Werror
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # false alarms of g++ 12 in std::string, GCC bug 105651
  $<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion>  # not in g++'s -Wconversion; TAPI's errors are unsigned numbers in a LONG
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
target_compile_definitions(tsplink_options INTERFACE TSPLINK_VERSION="${PROJECT_VERSION}")
target_link_libraries(tsplink_options INTERFACE Threads::Threads)
if(TSPLINK_SANITIZE)
  target_compile_options(tsplink_options INTERFACE -fsanitize=${TSPLINK_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(tsplink_options INTERFACE -fsanitize=${TSPLINK_SANITIZE})
  target_compile_definitions(tsplink_options INTERFACE TSPLINK_SANITIZED=1)
  # What sanitizers insert makes g++ 12 see uninitialised memory in std::optional and <regex>.
  target_compile_options(tsplink_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  if(TSPLINK_SANITIZE MATCHES "undefined")
    target_compile_options(tsplink_options INTERFACE -fno-sanitize-recover=undefined)
  endif()
endif()
if(TSPLINK_FUZZ)
  target_compile_options(tsplink_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(TSPLINK_FAULTS)
  target_compile_definitions(tsplink_options INTERFACE TSPLINK_FAULTS=1)
endif()

# A TSP: a loadable module without prefix, exporting only TSPI_* and TUISPI_* names, undecorated, its own calls bound
# to itself (an executable that exports the same names must not capture them).
function(tsplink_module target file_name)
  set_target_properties(${target} PROPERTIES PREFIX "" SUFFIX "" OUTPUT_NAME ${file_name})
  if(WIN32)
    target_link_options(${target} PRIVATE -Wl,--kill-at)  # 32 bit: TSPI_lineOpen, not TSPI_lineOpen@32
  else()
    target_link_options(${target} PRIVATE
      -Wl,-Bsymbolic -Wl,--version-script=${CMAKE_SOURCE_DIR}/deploy/cmake/tsp.map)
    set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${CMAKE_SOURCE_DIR}/deploy/cmake/tsp.map)
  endif()
endfunction()

# Version information, as Explorer shows it; nothing where there is none.
function(tsplink_version_information target file_name description)
  if(WIN32)
    get_target_property(kind ${target} TYPE)
    set(file_type VFT_APP)
    if(kind STREQUAL "MODULE_LIBRARY")
      set(file_type VFT_DLL)
    endif()
    string(REPLACE "." "," version_numbers ${PROJECT_VERSION})
    configure_file(${CMAKE_SOURCE_DIR}/deploy/cmake/version.rc.in ${CMAKE_CURRENT_BINARY_DIR}/${target}.rc @ONLY)
    target_sources(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/${target}.rc)
  endif()
endfunction()
