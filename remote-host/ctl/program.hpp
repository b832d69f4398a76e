// tsplinkctl, without main(): options, the exchange with the host, what is printed. Owner: the program. One thread.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace tsplink::host::ctl {

/// Arguments in UTF-8, without the program's name. The exit status: 0 done, 1 the host refused or knows no such
/// thing (or the file that was to be checked has a mistake), 2 usage, or no host is reached; then with a sentence on
/// `errors`.
int run(std::vector<std::string> arguments, std::ostream& out, std::ostream& errors);

}  // namespace tsplink::host::ctl
