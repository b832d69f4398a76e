#include "remote-host/named_ids.hpp"

#include <optional>

#include "wire/calls.hpp"
#include "wire/codec.hpp"

namespace tsplink::host {

namespace {

struct Naming {
  IdKind kind;
  bool optional;
  LONG unknown = 0;
};

template <class Role>
constexpr std::optional<Naming> naming() {
  if constexpr (std::is_same_v<Role, wire::Line>) return Naming{IdKind::Line, false};
  if constexpr (std::is_same_v<Role, wire::LineOrNone>) return Naming{IdKind::Line, true};
  if constexpr (std::is_same_v<Role, wire::Phone>) return Naming{IdKind::Phone, false};
  if constexpr (std::is_same_v<Role, wire::Call>) return Naming{IdKind::Call, false};
  if constexpr (std::is_same_v<Role, wire::ConferenceCall>) return Naming{IdKind::Call, false, Role::unknown};
  if constexpr (std::is_same_v<Role, wire::ConsultCall>) return Naming{IdKind::Call, false, Role::unknown};
  if constexpr (std::is_same_v<Role, wire::CallOrNone>) return Naming{IdKind::Call, true};
  if constexpr (std::is_same_v<Role, wire::MspLine>) return Naming{IdKind::MspLine, false};
  if constexpr (std::is_same_v<Role, wire::DialogInstance>) return Naming{IdKind::Dialog, false};
  if constexpr (std::is_same_v<Role, wire::LineDevice>) return Naming{IdKind::LineDevice, false};
  if constexpr (std::is_same_v<Role, wire::PhoneDevice>) return Naming{IdKind::PhoneDevice, false};
  return std::nullopt;
}

[[maybe_unused]] IdKind kind_of_object(std::uint32_t type) {
  switch (type) {
    case TUISPIDLL_OBJECT_LINEID: return IdKind::LineDevice;
    case TUISPIDLL_OBJECT_PHONEID: return IdKind::PhoneDevice;
    case TUISPIDLL_OBJECT_PROVIDERID: return IdKind::Provider;
    case TUISPIDLL_OBJECT_DIALOGINSTANCE: return IdKind::Dialog;
    default: wire::malformed("a dialog's question", "dwObjectType", "is none that there is");
  }
}

template <class C>
std::vector<NamedId> inputs_name(std::span<const std::uint8_t> arguments) {
  const auto inputs = wire::decode<typename C::Inputs>(arguments);
  std::vector<NamedId> ids;
  wire::for_each_parameter<C>([&](auto at) {
    using Role = typename C::template Role<at.value>;
    constexpr auto named = naming<Role>();
    if constexpr (std::is_same_v<Role, wire::DialogObject>) {  // by Role, or clang 14 looks into what is discarded
      ids.push_back({kind_of_object(std::get<Role::template type_at<C>()>(inputs)), std::get<at.value>(inputs)});
    }
    if constexpr (named.has_value()) {
      const std::uint64_t id = std::get<at.value>(inputs);
      if (id != 0 || !named->optional) ids.push_back({named->kind, id, named->unknown});
    }
  });
  return ids;
}

template <class C>
wire::Bytes exchange_tag(std::span<const std::uint8_t> arguments, std::uint32_t& tag) {
  if constexpr (constexpr auto at = wire::event_tag_of<C>(); at < C::size) {
    auto inputs = wire::decode<typename C::Inputs>(arguments);
    std::swap(std::get<at>(inputs), tag);
    return wire::encode(inputs);
  } else {
    return {arguments.begin(), arguments.end()};
  }
}

template <class C>
constexpr bool makes() {
  bool found = false;
  wire::for_each_parameter<C>(
      [&](auto at) { found = found || wire::kMakesCall<typename C::template Role<at.value>>; });
  return found;
}

template <class C>
std::vector<std::uint64_t> outputs_name(std::span<const std::uint8_t> outputs) {
  std::vector<std::uint64_t> ids;
  if constexpr (makes<C>()) {
    const auto values = wire::decode<typename C::Outputs>(outputs);
    wire::for_each_parameter<C>([&](auto at) {
      if constexpr (wire::kMakesCall<typename C::template Role<at.value>>) {
        if (std::get<at.value>(values)) ids.push_back(std::get<at.value>(values));
      }
    });
  }
  return ids;
}

struct Namer {
  std::vector<NamedId> (*inputs)(std::span<const std::uint8_t>);
  std::vector<std::uint64_t> (*outputs)(std::span<const std::uint8_t>);
  wire::Bytes (*exchange_tag)(std::span<const std::uint8_t>, std::uint32_t&);
  bool makes_calls;
  bool has_tag;
};

constexpr Namer kNamers[] = {
#define TSPI_CALL(function, ...)                                                                                    \
  {&inputs_name<wire::calls::function>, &outputs_name<wire::calls::function>, &exchange_tag<wire::calls::function>, \
   makes<wire::calls::function>(), wire::event_tag_of<wire::calls::function>() < wire::calls::function::size},
#include "wire/tspi_calls.def"
#undef TSPI_CALL
};

const Namer& namer(std::uint16_t function) {
  if (function >= wire::kFunctionCount) throw Failure(Kind::Unavailable, "a function that this host does not know");
  return kNamers[function];
}

}  // namespace

std::vector<NamedId> named_ids(std::uint16_t function, std::span<const std::uint8_t> arguments) {
  return namer(function).inputs(arguments);
}
bool has_event_tag(std::uint16_t function) { return namer(function).has_tag; }
std::vector<std::uint8_t> with_event_tag(std::uint16_t function, std::span<const std::uint8_t> arguments,
                                         std::uint32_t& tag) {
  return namer(function).exchange_tag(arguments, tag);
}
bool makes_calls(std::uint16_t function) { return namer(function).makes_calls; }
std::vector<std::uint64_t> new_calls(std::uint16_t function, std::span<const std::uint8_t> outputs) {
  return namer(function).outputs(outputs);
}

}  // namespace tsplink::host
