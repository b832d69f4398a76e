// The few things that differ between POSIX and Windows.
// Owner: nothing is kept. Threads: any.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tsplink::link {

/// Names the calling thread in debuggers and keeps signals away from it: they are the program's main thread's
/// business.
void prepare_thread(const char* name);

/// How many files and sockets this process may have open; SIZE_MAX when there is no such bound.
std::size_t open_file_bound();

/// Numeric addresses of a host, as ZeroMQ writes them (IPv6 in brackets). Asks the resolver unless `numeric_only`,
/// and may take long then. Empty when there is none; `problem` says why.
std::vector<std::string> addresses_of(const std::string& host, bool numeric_only, std::string& problem);

#ifndef _WIN32  // where libzmq is built so that it needs no such help (deploy/windows-libraries.sh)
/// The remote address and port of a connected socket; empty when it is closed by now.
std::string remote_of(int descriptor);
/// Shuts a connected socket down that somebody else owns, provided that it still leads to `remote`.
void shut_down(int descriptor, const std::string& remote);
#endif

}  // namespace tsplink::link
