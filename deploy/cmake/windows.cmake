# What the Windows binaries are built with, under the names that the native build has: libzmq and OpenSSL from
# deploy/windows-libraries.sh, GoogleTest from Debian's sources of it, and packages that are headers alone.

enable_language(C RC)
if(NOT TSPLINK_WINDOWS_LIBRARIES)
  message(FATAL_ERROR "set TSPLINK_WINDOWS_LIBRARIES to what deploy/windows-libraries.sh ${TSPLINK_WINDOWS} prints last")
endif()

# The headers are linked to from a folder of their own: /usr/include would hide the headers of MinGW-w64.
set(headers ${CMAKE_BINARY_DIR}/headers)
file(MAKE_DIRECTORY ${headers})
foreach(name flatbuffers spdlog fmt toml++ CLI nlohmann zmq.hpp)
  if(NOT EXISTS /usr/include/${name})
    message(FATAL_ERROR "/usr/include/${name} is missing: run deploy/packages.sh")
  endif()
  file(CREATE_LINK /usr/include/${name} ${headers}/${name} SYMBOLIC)
endforeach()
set(FLATBUFFERS_INCLUDE ${headers})
set(TOMLPP_INCLUDE ${headers})
set(NLOHMANN_INCLUDE ${headers})
foreach(package spdlog::spdlog CLI11::CLI11)
  add_library(${package} INTERFACE IMPORTED)
  target_include_directories(${package} SYSTEM INTERFACE ${headers})
endforeach()
target_compile_definitions(spdlog::spdlog INTERFACE SPDLOG_FMT_EXTERNAL FMT_HEADER_ONLY SPDLOG_WCHAR_FILENAMES)

# Other libraries than last time: nothing of the old ones may stay.
if(NOT TSPLINK_WINDOWS_LIBRARIES STREQUAL "${TSPLINK_WINDOWS_LIBRARIES_FOUND}")
  foreach(name LIB_EAY SSL_EAY OPENSSL_INCLUDE_DIR OPENSSL_CRYPTO_LIBRARY OPENSSL_SSL_LIBRARY TSPLINK_ZMQ_LIBRARY TSPLINK_ZMQ_INCLUDE)
    unset(${name} CACHE)
  endforeach()
  set(TSPLINK_WINDOWS_LIBRARIES_FOUND "${TSPLINK_WINDOWS_LIBRARIES}" CACHE INTERNAL "those that the build uses")
endif()
set(OPENSSL_USE_STATIC_LIBS ON)
find_package(OpenSSL 3.0 REQUIRED)
target_link_libraries(OpenSSL::Crypto INTERFACE ws2_32 crypt32 bcrypt)
find_library(TSPLINK_ZMQ_LIBRARY NAMES zmq REQUIRED)
find_path(TSPLINK_ZMQ_INCLUDE zmq.h REQUIRED)
target_include_directories(tsplink_zmq SYSTEM INTERFACE ${TSPLINK_ZMQ_INCLUDE} ${headers})
target_compile_definitions(tsplink_zmq INTERFACE ZMQ_STATIC)
target_link_libraries(tsplink_zmq INTERFACE ${TSPLINK_ZMQ_LIBRARY} ws2_32 iphlpapi)

set(INSTALL_GTEST OFF)
add_subdirectory(/usr/src/googletest ${CMAKE_BINARY_DIR}/googletest EXCLUDE_FROM_ALL SYSTEM)

# Windows 10, as libzmq was built; wide characters are asked for by name.
add_compile_definitions(_WIN32_WINNT=0x0A00 NOMINMAX WIN32_LEAN_AND_MEAN)
add_link_options(-static -Wl,--nxcompat -Wl,--dynamicbase)
