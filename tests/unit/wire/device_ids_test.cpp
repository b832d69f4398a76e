// Device ids and classes on their way between a vendor's machine and a desktop: what is mapped, what is left out,
// what a desktop must never see.
#include "wire/device_ids.hpp"

#include "sides.hpp"

namespace tsplink::wire::testing {
namespace {

using Ids = std::vector<std::uint32_t>;

/// A vendor's device n has the permanent id 1000 + n, a phone's is 2000 + n; 9 and above are none of it.
class Worker : public FakeWorker {
 public:
  std::uint32_t permanent_of(bool phone, DWORD device) override {
    return device < 9 ? (phone ? 2000 : 1000) + device : kNoDevice;
  }
  std::uint32_t permanent_of_line(std::size_t index, std::size_t) override {
    return permanent_of(false, static_cast<DWORD>(index));
  }
};

/// This desktop has some of them, under ids of its own.
class SomeDevices : public FakeDesktop {
 public:
  DWORD device_with(bool phone, std::uint32_t permanent) override {
    const auto found = ids.find({phone, permanent});
    return found == ids.end() ? kNoDevice : found->second;
  }
  std::map<std::pair<bool, std::uint32_t>, DWORD> ids{
      {{false, 1000}, 4}, {{false, 1002}, 7}, {{true, 2001}, 3}, {{true, 2002}, 5}};
};

Ids ids_in(const Bytes& varstring) {
  VARSTRING head{};
  std::memcpy(&head, varstring.data(), sizeof head);
  EXPECT_EQ(head.dwStringFormat, DWORD{STRINGFORMAT_BINARY});
  EXPECT_EQ(head.dwUsedSize, varstring.size());
  EXPECT_EQ(head.dwNeededSize, varstring.size());
  EXPECT_LE(head.dwStringOffset + head.dwStringSize, varstring.size());
  Ids ids(head.dwStringSize / 4);
  if (!ids.empty()) std::memcpy(ids.data(), varstring.data() + head.dwStringOffset, ids.size() * 4);
  return ids;
}

/// A vendor's array as a desktop gets it; empty: refused.
Ids mapped(const Ids& vendors, DeviceClass what, bool phone_function = false) {
  Worker worker;
  SomeDevices desktop;
  Bytes bytes = varstring_of(vendors);
  to_permanent_ids(bytes, what, phone_function, worker);
  const auto mine = to_desktop_ids(bytes, what, phone_function, desktop);
  return mine ? ids_in(*mine) : Ids{};
}

TEST(DeviceIds, ClassesAreKnownByNameInAnyCase) {
  EXPECT_EQ(device_class(u"tapi/line"), DeviceClass::Lines);
  EXPECT_EQ(device_class(u"TAPI/Phone"), DeviceClass::Phones);
  EXPECT_EQ(device_class(u"tapi/terminal"), DeviceClass::Terminals);
  for (const auto* name : {u"comm", u"COMM/datamodem", u"comm/datamodem/portname", u"wave/in", u"Wave/Out",
                           u"midi/in", u"midi/out", u"ndis", u"ndis/x"}) {
    EXPECT_EQ(device_class(name), DeviceClass::Hardware);
  }
  for (const auto* name : {u"", u"com", u"command", u"waves/in", u"ndis5", u"tapi/linex", u"vendor/comm"}) {
    EXPECT_EQ(device_class(name), DeviceClass::Other);
  }
}

TEST(DeviceIds, LinesAndPhonesAreTheDesktopsOwnAndOthersAreLeftOut) {
  EXPECT_EQ(mapped({0, 1, 2}, DeviceClass::Lines), (Ids{4, 7}));
  EXPECT_EQ(mapped({2, 1, 0}, DeviceClass::Phones), (Ids{5, 3}));
  EXPECT_EQ(mapped({2, 77}, DeviceClass::Phones, true), Ids{5});
}

TEST(DeviceIds, ATerminalKeepsItsPlace) {
  EXPECT_EQ(mapped({1, 0, 77, kNoDevice, 2}, DeviceClass::Terminals), (Ids{3, kNoDevice, kNoDevice, kNoDevice, 5}));
}

// phoneGetID: one element for each line of the system, the phone's terminal there.
TEST(DeviceIds, TerminalsOfAPhoneAreIndexedByTheDesktopsLines) {
  const Ids seen = mapped({10, 11, 12}, DeviceClass::Terminals, true);
  EXPECT_EQ(seen, (Ids{kNoDevice, kNoDevice, kNoDevice, kNoDevice, 10, kNoDevice, kNoDevice, 12}));
  EXPECT_EQ(mapped({kNoDevice, 11, 12}, DeviceClass::Terminals, true).size(), 8U);
  EXPECT_EQ(mapped({kNoDevice, 11, 12}, DeviceClass::Terminals, true)[4], kNoDevice);
  // Lines that the phone is no terminal of have their place behind the last of its own, too.
  EXPECT_EQ(mapped({10, 11, kNoDevice}, DeviceClass::Terminals, true).size(), 8U);
  EXPECT_EQ(mapped({kNoDevice, 11}, DeviceClass::Terminals, true), Ids(5, kNoDevice));
}

TEST(DeviceIds, NothingOfThisDesktopIsARefusal) {
  EXPECT_EQ(mapped({1}, DeviceClass::Lines), Ids{});
  EXPECT_EQ(mapped({}, DeviceClass::Phones), Ids{});
  EXPECT_EQ(mapped({}, DeviceClass::Terminals, true), Ids{});
}

TEST(DeviceIds, AHostCannotMakeADesktopAllocateWithoutBound) {
  SomeDevices desktop;
  desktop.ids[{false, 1}] = 0x7FFFFFFF;
  desktop.ids[{false, 2}] = 2;
  const auto mine = to_desktop_ids(varstring_of(Ids{1, 100, 2, 200}), DeviceClass::Terminals, true, desktop);
  ASSERT_TRUE(mine);
  EXPECT_EQ(ids_in(*mine), (Ids{kNoDevice, kNoDevice, 200}));
}

TEST(DeviceIds, AVarstringThatLiesHasNoIds) {
  Worker worker;
  SomeDevices desktop;
  for (const auto& [member, value] : {std::pair{offsetof(VARSTRING, dwStringOffset), 0xFFFFFFF0U},
                                      std::pair{offsetof(VARSTRING, dwStringSize), 0x20U}}) {
    Bytes bytes = varstring_of(Ids{0, 2});
    std::memcpy(bytes.data() + member, &value, sizeof value);
    EXPECT_FALSE(to_desktop_ids(Exact(bytes).span(), DeviceClass::Lines, false, desktop));
    to_permanent_ids(bytes, DeviceClass::Lines, false, worker);
    EXPECT_EQ(ids_in(bytes), Ids{});
  }
  EXPECT_FALSE(to_desktop_ids(Exact(Bytes(5)).span(), DeviceClass::Phones, false, desktop));
}

TEST(DeviceIds, WhatADesktopHasNotIsTakenOutOfAnAnswer) {
  const auto left = [](Ids ids, DeviceClass what, bool phone_function) {
    auto varstring = varstring_of(ids);
    hide_ids(varstring, what, phone_function, [](bool phone, std::uint32_t id) { return phone ? id == 3 : id == 1; });
    return ids_in(varstring);
  };
  EXPECT_EQ(left({1, 2, 3}, DeviceClass::Lines, false), Ids{1});
  EXPECT_EQ(left({1, 2, 3}, DeviceClass::Phones, false), Ids{3});
  EXPECT_EQ(left({1, 3, kNoDevice}, DeviceClass::Terminals, false), (Ids{kNoDevice, 3, kNoDevice}));
  EXPECT_EQ(left({1, 100, 2, 200}, DeviceClass::Terminals, true), (Ids{1, 100}));
  EXPECT_EQ(left({5, 6}, DeviceClass::Other, false), (Ids{5, 6}));
}

// --- the role ------------------------------------------------------------------------------------------------------

/// lineGetID as an application asks it; the vendor's answer goes through codec and both sides.
struct Asked {
  LONG result = 0;
  Bytes buffer = Bytes(200);
};
Asked line_get_id(const char16_t* name, const Bytes& vendors) {
  using C = calls::lineGetID;
  constexpr auto at = C::position("lpDeviceID");
  Asked asked;
  const auto size = static_cast<DWORD>(asked.buffer.size());
  std::memcpy(asked.buffer.data(), &size, sizeof size);
  const std::basic_string<WCHAR> text(name, name + std::char_traits<char16_t>::length(name));
  const C::Arguments arguments{handle_from<HDRVLINE>(1),
                               0,
                               {},
                               LINECALLSELECT_ADDRESS,
                               reinterpret_cast<LPVARSTRING>(asked.buffer.data()),
                               text.c_str(),
                               {}};
  SomeDevices desktop;
  Worker worker;
  try {
    C::Inputs in{};
    std::get<at>(in) = DeviceIds::take<C, at>(desktop, arguments);
    std::get<C::position("lpszDeviceClass")>(in) = name;
    auto held = DeviceIds::Held::made<C, at>(worker, in);
    if (!vendors.empty()) std::memcpy(held.pass(), vendors.data(), vendors.size());
    asked.result = DeviceIds::store<C, at>(desktop, held.collect(worker), std::get<at>(in), arguments);
  } catch (const Failure& failure) {
    asked.result = failure.code();
  }
  return asked;
}

TEST(DeviceIds, LineGetIdAnswersWithTheDesktopsIds) {
  const auto asked = line_get_id(u"Tapi/Phone", varstring_of(Ids{1, 2, 3}));
  ASSERT_EQ(asked.result, 0);
  VARSTRING head{};
  std::memcpy(&head, asked.buffer.data(), sizeof head);
  EXPECT_EQ(head.dwTotalSize, 200U);
  EXPECT_EQ(ids_in(Bytes(asked.buffer.begin(), asked.buffer.begin() + head.dwUsedSize)), (Ids{3, 5}));
}

TEST(DeviceIds, HardwareOfTheHostIsRefused) {
  const auto refused = static_cast<LONG>(LINEERR_INVALDEVICECLASS);
  EXPECT_EQ(line_get_id(u"wave/in", varstring_of(Ids{0})).result, refused);
  EXPECT_EQ(line_get_id(u"tapi/phone", varstring_of(Ids{8})).result, refused);    // not granted
  EXPECT_EQ(line_get_id(u"vendor/thing", varstring_of(Ids{0})).result, refused);  // a number of another machine
}

TEST(DeviceIds, ANameOfAnotherClassPasses) {
  Bytes name = varstring_of(Ids{0x00310030});
  const DWORD format = STRINGFORMAT_UNICODE;
  std::memcpy(name.data() + offsetof(VARSTRING, dwStringFormat), &format, sizeof format);
  const auto asked = line_get_id(u"vendor/thing", name);
  ASSERT_EQ(asked.result, 0);
  EXPECT_EQ(Bytes(asked.buffer.begin() + sizeof(DWORD), asked.buffer.begin() + 28),
            Bytes(name.begin() + sizeof(DWORD), name.end()));
}

// --- lists of classes in capabilities ------------------------------------------------------------------------------

template <class T>
struct Capabilities {
  /// `list` behind the fixed part, and a word behind it that belongs to something else.
  explicit Capabilities(std::u16string_view list) {
    T head{};
    head.dwDeviceClassesSize = static_cast<DWORD>(list.size() * sizeof(char16_t));
    head.dwDeviceClassesOffset = sizeof(T);
    bytes.resize(sizeof(T));
    std::memcpy(bytes.data(), &head, sizeof head);
    for (const char16_t letter : list) {
      bytes.push_back(static_cast<std::uint8_t>(letter & 0xFF));
      bytes.push_back(static_cast<std::uint8_t>(letter >> 8));
    }
    for (int i = 0; i < 4; ++i) bytes.push_back(0xEE);
  }
  std::u16string without_hardware(const std::u16string& kept) {
    remove_hardware_classes(describe<T>(), bytes, [&](const auto& name) { return name == kept; });
    T head{};
    std::memcpy(&head, bytes.data(), sizeof head);
    EXPECT_EQ(head.dwDeviceClassesOffset, sizeof(T));
    EXPECT_EQ(bytes.back(), 0xEE);
    std::u16string list(head.dwDeviceClassesSize / sizeof(char16_t), u'?');
    if (!list.empty()) std::memcpy(list.data(), bytes.data() + sizeof(T), head.dwDeviceClassesSize);
    return list;
  }
  Bytes bytes;
};

template <class T>
class ClassLists : public ::testing::Test {};
using WithLists = ::testing::Types<LINEDEVCAPS, LINEADDRESSCAPS, PHONECAPS>;
TYPED_TEST_SUITE(ClassLists, WithLists);

TYPED_TEST(ClassLists, LoseTheHostsHardwareAlone) {
  using namespace std::string_view_literals;
  const auto left = [](std::u16string_view list, const std::u16string& kept = {}) {
    return Capabilities<TypeParam>(list).without_hardware(kept);
  };
  EXPECT_TRUE(left(u"tapi/line\0comm/datamodem\0WAVE/in\0tapi/phone\0\0"sv) == u"tapi/line\0tapi/phone\0\0"sv);
  EXPECT_TRUE(left(u"comm\0WAVE/in\0wave/out\0\0"sv, u"wave/in") == u"WAVE/in\0\0"sv);
  EXPECT_TRUE(left(u"vendor\0\0"sv) == u"vendor\0\0"sv);
  EXPECT_TRUE(left(u"comm\0ndis\0\0"sv) == u""sv);
  EXPECT_TRUE(left(u""sv) == u""sv);
  EXPECT_TRUE(left(u"midi/in\0tapi/line"sv) == u"tapi/line\0\0"sv);  // a vendor that forgot the end
}

TYPED_TEST(ClassLists, OutsideTheStructureAreLeftAlone) {
  Capabilities<TypeParam> caps(u"comm\0\0");
  const std::uint32_t size = 0x10000;
  std::memcpy(caps.bytes.data() + offsetof(TypeParam, dwDeviceClassesSize), &size, sizeof size);
  const Bytes before = caps.bytes;
  remove_hardware_classes(describe<TypeParam>(), caps.bytes, [](const auto&) { return false; });
  EXPECT_EQ(caps.bytes, before);
}

}  // namespace
}  // namespace tsplink::wire::testing
