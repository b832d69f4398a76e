// The proxy's log, for administrators: standard error or a file. Owner: Provider. Any thread may write.
#pragma once

#include <filesystem>
#include <string>

#include "proxy-tsp/core.hpp"

namespace tsplink::proxy {

/// `level`: debug, info, warn or error. `file` empty: standard error, and on Windows also proxy.log in
/// default_folder() where that is there. Throws Failure(Configuration) if the file cannot be written.
Log make_log(const std::string& level, const std::filesystem::path& file);

}  // namespace tsplink::proxy
