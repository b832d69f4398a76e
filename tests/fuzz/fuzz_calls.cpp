// Every function of the sheet between a hostile desktop, a careless vendor and a hostile host: malformed tables, and
// well-formed ones whose values lie.
#include <memory>

#include "../unit/wire/whole_call.hpp"
#include "input.hpp"
#include "wire/failure.hpp"
#include "wire/trace.hpp"

using namespace tsplink;
using namespace tsplink::wire::testing;

namespace {

struct Filler {
  fuzz::Input& input;

  void fill(wire::Nothing&) const {}
  void fill(std::uint32_t& value) const {
    value = input.number<std::uint8_t>() % 4 == 0 ? input.number<std::uint32_t>() : input.number<std::uint16_t>();
  }
  void fill(std::uint64_t& value) const {  // a kind of handle, which the worker accepts, and a number
    value = (std::uint64_t{input.number<std::uint8_t>()} % 8 << 48U) + input.number<std::uint16_t>();
  }
  void fill(wire::Block& value) const {
    if (input.number<std::uint8_t>() % 8 != 0) value = input.block(input.below(600));
  }
  void fill(wire::Utf16& value) const {
    if (input.number<std::uint8_t>() % 8 == 0) return;
    const auto bytes = input.block(2 * input.below(40));
    value.emplace(bytes.size() / 2, u'\0');
    if (!bytes.empty()) std::memcpy(value->data(), bytes.data(), value->size() * 2);
  }
};

template <class Values>
Values values_of(fuzz::Input& input) {
  Values values{};
  const Filler filler{input};
  std::apply([&filler](auto&... each) { (filler.fill(each), ...); }, values);
  return wire::decode<Values>(wire::encode(values));
}

/// The vendor: writes anything where it may, also into the slack.
template <class C>
void scribble(fuzz::Input& input, const typename C::Arguments& arguments, const typename C::Inputs& inputs) {
  wire::for_each_parameter<C>([&](auto index) {
    constexpr std::size_t I = decltype(index)::value;
    using Role = typename C::template Role<I>;
    if constexpr (Is<Role, wire::FixedOut> || VariableOut<Role> || BytesOutput<Role>) {
      auto* const to = reinterpret_cast<std::uint8_t*>(std::get<I>(arguments));
      if (!to) return;
      const auto bytes = input.take(std::min(room<C, I>(arguments, inputs) + wire::kSlack, input.below(600)));
      if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    }
  });
}

template <class C>
void hostile_desktop(fuzz::Input& input) {
  const bool table = input.number<std::uint8_t>() % 2;
  const auto inputs = table ? wire::decode<typename C::Inputs>(input.rest()) : values_of<typename C::Inputs>(input);
  wire::trace_inputs<C>(inputs);
  FakeWorker worker;
  auto held = hold<C>(worker, inputs);
  const auto arguments = pass<C>(held);
  wire::for_each_parameter<C>([&](auto index) {
    constexpr std::size_t I = decltype(index)::value;
    using Role = typename C::template Role<I>;
    if constexpr (Counted<Role>) {  // the vendor reads what its count promises
      const auto* from = reinterpret_cast<const volatile std::uint8_t*>(std::get<I>(arguments));
      const std::size_t count = std::get<C::position(Role::counted_by.view())>(arguments);
      for (std::size_t i = 0; i < count * Role::unit; ++i) (void)from[i];
    }
  });
  scribble<C>(input, arguments, inputs);
  const auto outputs = collected<C>(worker, held);
  wire::decode<typename C::Outputs>(wire::encode(outputs));
}

template <class C>
void hostile_host(fuzz::Input& input) {
  FakeDesktop desktop;
  Samples samples(input.number<std::uint16_t>());
  const Caller<C> caller(samples);
  const auto inputs = taken<C>(desktop, caller.arguments);
  const bool table = input.number<std::uint8_t>() % 2;
  const auto outputs =
      table ? wire::decode<typename C::Outputs>(input.rest()) : values_of<typename C::Outputs>(input);
  wire::trace_outputs<C>(outputs);
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (C::template Role<I>::template store<C, I>(desktop, std::get<I>(outputs), std::get<I>(inputs), caller.arguments),
     ...);
  }
  (std::make_index_sequence<C::size>{});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Tables are read where FlatBuffers would have aligned them.
  const std::size_t padded = (size + 7) / 8 * 8;
  const std::unique_ptr<std::uint8_t[]> aligned(new std::uint8_t[padded + 8]());
  std::copy(data, data + size, aligned.get() + 8 - 4);
  fuzz::Input input(aligned.get() + 4, size);
  const auto wanted = input.below(wire::kFunctionCount);
  const bool host = input.number<std::uint8_t>() % 2;
  wire::for_each_call([&]<class C, wire::Function F>() {
    if constexpr (C::right != wire::Right::Local) {
      if (static_cast<std::size_t>(F) != wanted) return;
      try {
        host ? hostile_host<C>(input) : hostile_desktop<C>(input);
      } catch (const Failure&) {
      }
    }
  });
  return 0;
}
