# Everything that comes from packages, as targets: tsplink::zmq, tsplink::tapi, OpenSSL::SSL, spdlog,
# toml++, CLI11, nlohmann's JSON, FlatBuffers, GTest.

find_package(Threads REQUIRED)
find_program(FLATC flatc REQUIRED)
add_library(tsplink_zmq INTERFACE)
add_library(tsplink::zmq ALIAS tsplink_zmq)

if(WIN32)
  include(${CMAKE_CURRENT_LIST_DIR}/windows.cmake)
else()
  find_package(PkgConfig REQUIRED)
  find_package(OpenSSL 3.0 REQUIRED)
  find_package(spdlog REQUIRED)
  find_package(CLI11 REQUIRED)
  find_package(GTest REQUIRED)
  find_path(FLATBUFFERS_INCLUDE flatbuffers/flatbuffers.h REQUIRED)
  find_path(TOMLPP_INCLUDE toml++/toml.h REQUIRED)
  find_path(NLOHMANN_INCLUDE nlohmann/json.hpp REQUIRED)
  if(TSPLINK_SANITIZE MATCHES "thread" AND NOT TSPLINK_ZMQ_ROOT)
    message(FATAL_ERROR
      "TSan needs a libzmq built for it: set TSPLINK_TSAN_ZMQ to what deploy/tsan-libzmq.sh prints last")
  endif()
  if(TSPLINK_ZMQ_ROOT)
    target_include_directories(tsplink_zmq SYSTEM INTERFACE ${TSPLINK_ZMQ_ROOT}/include)
    find_library(TSPLINK_ZMQ_LIBRARY NAMES zmq libzmq PATHS ${TSPLINK_ZMQ_ROOT}/lib NO_DEFAULT_PATH REQUIRED)
    target_link_libraries(tsplink_zmq INTERFACE ${TSPLINK_ZMQ_LIBRARY})
  else()
    pkg_check_modules(ZMQ REQUIRED IMPORTED_TARGET libzmq>=4.3)
    target_link_libraries(tsplink_zmq INTERFACE PkgConfig::ZMQ)
  endif()
endif()

# tapi.h and tspi.h are public domain and come with MinGW-w64's headers; only those two (and msp.h's
# family, for Windows builds) are taken, since the rest of that folder would hide Linux' own headers.
find_path(MINGW_INCLUDE tspi.h PATHS /usr/share/mingw-w64/include REQUIRED
  DOC "folder with MinGW-w64's tapi.h and tspi.h (Debian: mingw-w64-common)")
add_library(tsplink_tapi INTERFACE)
add_library(tsplink::tapi ALIAS tsplink_tapi)
if(NOT WIN32)
  foreach(header tapi.h tspi.h)
    configure_file(${MINGW_INCLUDE}/${header} ${CMAKE_BINARY_DIR}/tapi/${header} COPYONLY)
  endforeach()
  target_include_directories(tsplink_tapi SYSTEM INTERFACE
    ${CMAKE_SOURCE_DIR}/deploy/toolchains/tapi-linux ${CMAKE_BINARY_DIR}/tapi)
endif()
