// A connection's bytes in pieces of any size: frames, envelopes, events, inventories, trace lines.
#include "input.hpp"
#include "wire/envelopes.hpp"
#include "wire/failure.hpp"
#include "wire/frame.hpp"
#include "wire/trace.hpp"

using namespace tsplink;

namespace {

void read(const wire::Frame& frame, wire::Function function) {
  const auto line = wire::trace_frame(*frame.envelope, function);
  if (line.empty() || line.size() > wire::kMaxTraceLine) __builtin_trap();
  const auto* envelope = wire::verified_envelope(*frame.envelope);
  if (!envelope) __builtin_trap();  // the splitter verified it
  if (const auto* event = envelope->body_as_Event()) {
    try {
      (void)wire::read_event(*event);
      (void)wire::read_dialog(*event);
    } catch (const Failure&) {
    }
  }
  if (const auto* inventory = envelope->body_as_Inventory()) {
    try {
      const auto values = wire::read_inventory(*inventory);
      wire::make_inventory(values);
    } catch (const Failure&) {
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const auto function = static_cast<wire::Function>(input.below(wire::kFunctionCount));
  const std::size_t piece = 1 + input.below(64);
  const bool framed = input.number<std::uint8_t>() % 2;
  try {
    wire::Splitter splitter(1U << 16U);
    if (framed) {  // the mutations go into the envelope, not into its length
      wire::Bytes bytes;
      wire::append_frame(bytes, input.block(size), 1, 0);
      splitter.feed(bytes);
    }
    do {
      while (const auto frame = splitter.next()) read(*frame, function);
      splitter.feed(input.take(piece));
    } while (!input.empty());
    while (const auto frame = splitter.next()) read(*frame, function);
  } catch (const Failure&) {
  }
  return 0;
}
