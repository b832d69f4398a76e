// `tsplinkctl certificates`: makes an authority, issues, renews and revokes, on the command line.
// Owner: main() of the program. Threads: main.
#pragma once

#include <CLI/CLI.hpp>

#include <chrono>
#include <iosfwd>

namespace tsplink::ctl {

struct CertificatesOutput {
  std::ostream& to;                                                              // tables and JSON
  std::chrono::system_clock::time_point now = std::chrono::system_clock::now();  // tests take another
};

/// Adds the command. It runs within program.parse(), which throws security::Error, one sentence, where it is refused.
/// `status` becomes 1 when `certificates expiring` found something, and is not touched otherwise; it must outlive the
/// program, as `output` must.
void add_certificates(CLI::App& program, const CertificatesOutput& output, int& status);

}  // namespace tsplink::ctl
