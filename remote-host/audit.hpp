// The audit: each control action of a desktop as one line, with what TSPI knows of who, what and how it ended. Never
// a person, since TSPI carries none (a terminal server has many). Owner: the host (or a test). Threads: the broker's;
// writing waits for no disk.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "remote-host/log.hpp"
#include "wire/tapi.hpp"

namespace tsplink::host {

/// A request that needs the right to control, once it is known what became of it.
struct ControlAction {
  std::string certificate;  // its subject
  std::string machine;      // as the desktop calls itself
  std::string address;
  std::uint64_t session = 0;
  std::uint16_t function = 0;
  std::string provider;  // empty: the request names no line or phone that there is
  std::string device;    // dwLineName or dwPhoneName
  bool phone = false;
  std::uint32_t permanent_id = 0;
  std::vector<std::uint64_t> calls;  // that it names, then those that it made
  std::string to;                    // the dialled address
  std::optional<LONG> result;        // what the driver or the host said of it; none: nobody knows
  std::string note;
  std::uint64_t trace = 0;
};

class Audit {
 public:
  virtual ~Audit() = default;
  virtual void write(const ControlAction& action) = 0;
};

/// The parts of its line, in their order; what is not known is left out.
log::Fields fields_of(const ControlAction& action);

/// The addresses in the arguments of a function that dials or sends calls somewhere, also those in its call
/// parameters or forward list, separated by ", "; empty: there is none. Digits that are sent within a call are none:
/// they may be a secret. `version`: the negotiated one of the line. Throws Failure(Malformed).
std::string dialled_address(std::uint16_t function, std::span<const std::uint8_t> arguments, std::uint32_t version);

/// To the log, or to the audit's own output.
class AuditLog final : public Audit {
 public:
  void write(const ControlAction& action) override { log::audit(fields_of(action)); }
};

}  // namespace tsplink::host
