#include "tests/simpbx/structures.hpp"

namespace tsplink::simpbx {
namespace {

constexpr DWORD kVersion20 = 0x00020000, kVersion22 = 0x00020002, kVersion30 = 0x00030000, kVersion31 = 0x00030001;
constexpr DWORD kNeededAt = 4, kUsedAt = 8;
constexpr BYTE kStray = 0xEE;  // what the habit write_past_used leaves behind
constexpr DWORD kStrayBytes = 16;

}  // namespace

DWORD fixed_line_dev_caps(DWORD version) {
  return version >= kVersion30 ? 292 : version >= kVersion22 ? 268 : version >= kVersion20 ? 252 : 240;
}
DWORD fixed_address_caps(DWORD version) { return version >= kVersion20 ? 228 : 180; }
DWORD fixed_call_info(DWORD version) { return version >= kVersion30 ? 344 : 324; }
DWORD fixed_phone_caps(DWORD version) { return version >= kVersion22 ? 196 : 180; }
DWORD fixed_call_params(DWORD version) { return version >= kVersion30 ? 180 : 176; }
/// dwCallerAddressType and dwDestAddressType came with 3.1.
DWORD fixed_forward(DWORD version) { return version >= kVersion31 ? 32 : 24; }

VariableParts::VariableParts(void* target, DWORD fixed, DWORD refusal)
    : target_(static_cast<BYTE*>(target)), fixed_(fixed), needed_(fixed), used_(fixed) {
  if (!target) refuse((refusal & 0xF0000000) == 0x90000000 ? PHONEERR_INVALPOINTER : LINEERR_INVALPOINTER);
  std::memcpy(&total_, target_, sizeof total_);
  if (total_ < fixed_) refuse(refusal);
}

void VariableParts::add(DWORD* size, DWORD* offset, const void* bytes, std::size_t count) {
  if (count == 0) return;
  const DWORD length = static_cast<DWORD>(count);
  const DWORD room = (length + 3) & ~DWORD{3};
  needed_ += room;
  if (room > total_ - used_) return;  // left out whole: size and offset stay 0
  std::memset(target_ + used_, 0, room);
  std::memcpy(target_ + used_, bytes, count);
  *size = length;
  *offset = used_;
  used_ += room;
}

void VariableParts::store(void* image, const Habits& habits) {
  if (habits.has(Habit::nothing_written)) return;
  static DWORD turn = 0;  // guarded by the Pbx's mutex
  DWORD needed = needed_;
  DWORD used = used_;
  if (habits.has(Habit::needed_changes)) needed += 4 * (++turn % 3);
  if (habits.has(Habit::used_too_small)) used = fixed_ / 2;
  if (habits.has(Habit::write_past_used)) {
    std::memset(target_ + used_, kStray, std::min<std::size_t>(kStrayBytes, total_ - used_));
  }
  std::memcpy(static_cast<BYTE*>(image) + kNeededAt, &needed, sizeof needed);
  std::memcpy(static_cast<BYTE*>(image) + kUsedAt, &used, sizeof used);
  std::memcpy(target_, image, fixed_);
}

void store_var_string(LPVARSTRING target, DWORD format, const void* bytes, std::size_t count, const Habits& habits,
                      DWORD refusal) {
  Structure<VARSTRING> out(target, sizeof(VARSTRING), habits, refusal);
  out.image.dwStringFormat = format;
  out.bytes(&VARSTRING::dwStringSize, &VARSTRING::dwStringOffset, bytes, count);
  out.finish();
}

Bytes field(const void* structure, DWORD total, DWORD size, DWORD offset, DWORD code) {
  if (size == 0) return {};
  if (offset > total || size > total - offset) refuse(code);
  const auto* first = static_cast<const BYTE*>(structure) + offset;
  return Bytes(first, first + size);
}

Text text_of(const Bytes& bytes) {
  Text text(bytes.size() / sizeof(WCHAR), WCHAR(0));
  if (!text.empty()) std::memcpy(text.data(), bytes.data(), text.size() * sizeof(WCHAR));
  while (!text.empty() && text.back() == WCHAR(0)) text.pop_back();
  return text;
}

std::string names_list(std::initializer_list<const char*> names) {
  std::string result;
  for (const char* name : names) result += std::string(name) + '\0';
  return result + '\0';
}

}  // namespace tsplink::simpbx
