// Writes TSPI's variable structures as the documentation wants them: dwTotalSize is TAPI's, the fixed part has the
// size of the negotiated version, variable parts follow it at once and are left out whole when they do not fit.
// Owner: the function that fills a structure. Threads: with the Pbx's mutex held.
#pragma once

#include <cstddef>
#include <cstring>
#include <utility>

#include "tests/simpbx/courier.hpp"

namespace tsplink::simpbx {

/// Sizes of the fixed parts by negotiated version.
DWORD fixed_line_dev_caps(DWORD version);
DWORD fixed_address_caps(DWORD version);
DWORD fixed_call_info(DWORD version);
DWORD fixed_phone_caps(DWORD version);
DWORD fixed_call_params(DWORD version);
DWORD fixed_forward(DWORD version);

/// Not a template: works on the image's bytes, with offsets of its members.
class VariableParts {
 public:
  /// Refuses a structure that cannot hold its fixed part (STRUCTURETOOSMALL by `refusal`).
  VariableParts(void* target, DWORD fixed, DWORD refusal);
  void add(DWORD* size, DWORD* offset, const void* bytes, std::size_t count);
  /// Copies the fixed part's image and the variable parts; sets dwNeededSize and dwUsedSize in the image.
  void store(void* image, const Habits& habits);

  DWORD total() const { return total_; }

 private:
  BYTE* const target_;
  const DWORD fixed_;
  DWORD total_ = 0, needed_, used_;
};

/// Fills a T, which begins with dwTotalSize, dwNeededSize, dwUsedSize.
template <class T>
class Structure {
 public:
  Structure(T* target, DWORD fixed, const Habits& habits, DWORD refusal = LINEERR_STRUCTURETOOSMALL)
      : parts_(target, fixed, refusal), habits_(habits) {
    std::memset(static_cast<void*>(&image), 0, sizeof image);
    image.dwTotalSize = parts_.total();
  }

  /// A member that belongs to TAPI keeps what is in TAPI's structure.
  void keep(const T* target, DWORD T::*member) {
    std::memcpy(&(image.*member), reinterpret_cast<const BYTE*>(target) + offset_of(member), sizeof(DWORD));
  }
  void bytes(DWORD T::*size, DWORD T::*offset, const void* data, std::size_t count) {
    parts_.add(&(image.*size), &(image.*offset), data, count);
  }
  void bytes(DWORD T::*size, DWORD T::*offset, const Bytes& data) { bytes(size, offset, data.data(), data.size()); }
  /// With its terminating NUL, as TSPI's texts are counted; an empty text is left out.
  void text(DWORD T::*size, DWORD T::*offset, const Text& value) {
    if (!value.empty()) bytes(size, offset, value.c_str(), (value.size() + 1) * sizeof(WCHAR));
  }
  /// Text that no member of T names, but an entry of one of its arrays: size and offset in the structure.
  std::pair<DWORD, DWORD> nested(const Text& value) {
    DWORD size = 0, offset = 0;
    if (!value.empty()) parts_.add(&size, &offset, value.c_str(), (value.size() + 1) * sizeof(WCHAR));
    return {size, offset};
  }
  void finish() { parts_.store(&image, habits_); }

  T image;

 private:
  std::size_t offset_of(DWORD T::*member) const {
    return static_cast<std::size_t>(reinterpret_cast<const BYTE*>(&(image.*member)) -
                                    reinterpret_cast<const BYTE*>(&image));
  }
  VariableParts parts_;
  const Habits& habits_;
};

/// Puts bytes into a VARSTRING; they are left out when they do not fit, dwNeededSize says what is needed.
void store_var_string(LPVARSTRING target, DWORD format, const void* bytes, std::size_t count, const Habits& habits,
                      DWORD refusal = LINEERR_STRUCTURETOOSMALL);

/// A variable field of an input structure; throws Refusal(code) when it does not lie inside it.
Bytes field(const void* structure, DWORD total, DWORD size, DWORD offset, DWORD code);
Text text_of(const Bytes& bytes);
std::string names_list(std::initializer_list<const char*> names);

}  // namespace tsplink::simpbx
