// The arguments and buffers of one TSPI call. Every buffer has a guard behind it; outputs are checked here against
// the rules for TAPI's structures. A frame outlives its call when outputs come late. Owner: the call, later its
// Request. One thread builds it; the provider writes into its outputs.
#pragma once

#include <tspi.h>

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "functions.hpp"
#include "world.hpp"

namespace tsplink::tapisim {

/// Memory of exactly `size` bytes for the provider, and a pattern behind it.
class Buffer {
 public:
  Buffer(std::size_t size, BYTE fill);
  explicit Buffer(const Bytes& content);
  BYTE* data() { return memory_.data(); }
  const BYTE* data() const { return memory_.data(); }
  std::size_t size() const { return size_; }
  bool intact() const;

 private:
  Bytes memory_;
  std::size_t size_;
};

struct Frame {
  std::vector<std::uintptr_t> arguments;
  std::vector<Buffer*> buffer;  // for each parameter, or null
  std::deque<Buffer> buffers;
  DWORD version = kNewestVersion;  // of TSPI, for the layout of its structures
};

/// What a scenario or TAPISRV itself gives to a call; what is not given gets TAPI's default.
struct Arguments {
  std::map<std::string, std::string> values;                // by parameter; "lpCallParams.dwMediaMode" for a field
  std::map<std::string, Object*> objects;                   // handles of the provider
  std::function<void(const std::vector<Object*>&)> before;  // told of the new objects before the provider is
};

struct OutputValue {
  std::optional<std::uint64_t> number;
  Bytes bytes;
  std::string text;  // as the trace prints it
};

/// total: dwTotalSize of the call's structure, 0 for its fixed size. Throws std::runtime_error with a sentence.
std::shared_ptr<Frame> build_frame(const World& world, const Function& function, const Arguments& arguments,
                                   const Section& section, DWORD total);

/// An output by name: "dwCallID" or "lpdwCallID", "CallerID" or "lpCallInfo.CallerID", "lpParams".
std::optional<OutputValue> output(const Function& function, const Frame& frame, std::string_view name);
/// Does the output equal a value as scenarios write it?
bool equals(const OutputValue& value, const std::string& expected);

std::string inputs_text(const Function& function, const Frame& frame, const Arguments& arguments,
                        const Request* request, const std::map<std::string, Object*>& made, DWORD device, For reader);
std::string outputs_text(const Function& function, const Frame& frame, bool late, For reader, DWORD device);

/// Reports what the provider did wrong with the buffers; `success` also demands the promised outputs.
void check_frame(World& world, const Function& function, const Frame& frame, bool success, bool late);

}  // namespace tsplink::tapisim
