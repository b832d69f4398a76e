// What lineGetID and phoneGetID answer, and the lists of device classes in capabilities: devices of the host's
// machine mean nothing on a desktop. Ids of lines and phones cross as permanent ids, names cross as they are, and
// classes of hardware (comm, wave ...) do not exist on a desktop. Used as roles are; the functions are pure, any
// thread.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "wire/structure_roles.hpp"

namespace tsplink::wire {

/// Microsoft's page "TAPI device classes" names the known ones; case does not count.
enum class DeviceClass { Hardware, Lines, Phones, Terminals, Other };
DeviceClass device_class(std::u16string_view name);

/// A class's name as it is compared.
std::u16string folded_class(std::u16string_view name);

/// Takes the classes of hardware out of a structure's lists (dwDeviceClassesSize) but those that `kept` accepts, by
/// folded_class(); the bytes behind stay where they are.
void remove_hardware_classes(const StructureDescription& structure, std::span<std::uint8_t> bytes,
                             const std::function<bool(const std::u16string&)>& kept);

/// The vendor's device ids in a VARSTRING become permanent ids. What answers phoneGetID for terminals becomes pairs
/// of a line and its terminal.
void to_permanent_ids(Bytes& varstring, DeviceClass what, bool phone_function, VendorSide& side);
/// The VARSTRING as this desktop has it; empty: nothing of it means anything here.
std::optional<Bytes> to_desktop_ids(std::span<const std::uint8_t> varstring, DeviceClass what, bool phone_function,
                                    DesktopSide& side);
/// A VARSTRING (STRINGFORMAT_BINARY) of ids, complete.
Bytes varstring_of(std::span<const std::uint32_t> ids);

/// lpDeviceID: device ids or a name, by the function's lpszDeviceClass.
struct DeviceIds : VarOut<VARSTRING> {
  using Base = VarOut<VARSTRING>;
  template <class C>
  static constexpr bool phone = C::name.substr(0, 5) == "phone";
  template <class C>
  static constexpr LONG no_such_class = static_cast<LONG>(phone<C> ? PHONEERR_INVALDEVICECLASS
                                                                   : LINEERR_INVALDEVICECLASS);
  template <class C>
  static DeviceClass asked_for(const typename C::Arguments& arguments) {
    const auto* name = std::get<C::position("lpszDeviceClass")>(arguments);
    std::u16string text;
    for (; name && *name && text.size() < 64; ++name) text.push_back(static_cast<char16_t>(*name));
    return device_class(text);
  }

  template <class C, std::size_t I>
  static std::uint32_t take(DesktopSide& side, const typename C::Arguments& arguments) {
    if (asked_for<C>(arguments) == DeviceClass::Hardware) {
      throw Failure(Kind::NoSuchObject, std::string(C::name) + ": a device of the host's machine", no_such_class<C>);
    }
    return Base::take<C, I>(side, arguments);
  }
  template <class C, std::size_t I>
  static LONG store(DesktopSide& side, const Block& out, const std::uint32_t& in,
                    const typename C::Arguments& arguments) {
    if (!out) return 0;
    Block mine = to_desktop_ids(*out, asked_for<C>(arguments), phone<C>, side);
    return mine ? Base::store<C, I>(side, mine, in, arguments) : no_such_class<C>;
  }
  struct Held : Base::Held {
    DeviceClass what = DeviceClass::Other;
    bool phone_function = false;
    template <class C, std::size_t I>
    static Held made(VendorSide& side, const typename C::Inputs& in) {
      Held held;
      static_cast<Base::Held&>(held) = Base::Held::made<C, I>(side, in);
      const auto& name = std::get<C::position("lpszDeviceClass")>(in);
      held.what = name ? device_class(*name) : DeviceClass::Other;
      held.phone_function = phone<C>;
      return held;
    }
    Block collect(VendorSide& side) {
      Block block = Base::Held::collect(side);
      if (block) to_permanent_ids(*block, what, phone_function, side);
      return block;
    }
  };
};

/// Takes out of a VARSTRING of permanent ids, which to_permanent_ids() made, those that `known(phone, id)` denies.
void hide_ids(Bytes& varstring, DeviceClass what, bool phone_function,
              const std::function<bool(bool, std::uint32_t)>& known);

}  // namespace tsplink::wire
