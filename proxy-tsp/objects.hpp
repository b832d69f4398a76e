// What the proxy knows of devices, open lines and phones, calls and MSP instances, and the maps from TAPI's handles
// and from host-wide ids to them. Owner: Core, which guards the maps with its mutex; an object's own fields say who
// may touch them. Handles are minted here, never 0, unique across kinds, and not used again in the life of the
// provider.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "wire/envelopes.hpp"
#include "wire/tapi.hpp"

namespace tsplink::proxy {

/// A line or phone of the inventory.
class Device {
 public:
  Device(bool is_phone, wire::DeviceValues values)
      : phone(is_phone), values_(std::make_shared<const wire::DeviceValues>(std::move(values))) {}

  const bool phone;
  std::atomic<DWORD> device_id{0};         // TAPI's; meaningful when `known_to_tapi`
  std::atomic<bool> known_to_tapi{false};  // enumerated, or created by providerCreate*Device
  bool announced = false;                  // LINE_CREATE or PHONE_CREATE was sent; guarded by Core's mutex
  bool present = false;                    // the host has it in this connection; guarded by Core's mutex
  std::atomic<bool> outdated{false};       // the vendor has said that its capabilities are other ones now

  /// What the host said of it last; any thread.
  std::shared_ptr<const wire::DeviceValues> values() const {
    std::lock_guard lock(mutex_);
    return values_;
  }
  void set_values(wire::DeviceValues values) {
    auto now = std::make_shared<const wire::DeviceValues>(std::move(values));
    std::lock_guard lock(mutex_);
    values_.swap(now);
    outdated = false;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const wire::DeviceValues> values_;
};

/// One event on its way to TAPI, with the objects that it names.
struct Delivery;

struct Line {
  std::uintptr_t handle = 0;
  std::atomic<std::uint64_t> id{0};  // host-wide; 0: the link was lost since
  std::shared_ptr<Device> device;
  HTAPILINE htLine{};
  LINEEVENT event{};
  DWORD version = 0;
  bool open = false;                // at the host, and TAPI knows it; Core's lock
  std::atomic<bool> closed{false};  // no event after it is set
};

struct Phone {
  std::uintptr_t handle = 0;
  std::atomic<std::uint64_t> id{0};
  std::shared_ptr<Device> device;
  HTAPIPHONE htPhone{};
  PHONEEVENT event{};
  DWORD version = 0;
  bool open = false;
  std::atomic<bool> closed{false};
};

/// TAPI's buffer of a lineGatherDigits, filled before its LINE_GATHERDIGITS.
struct Gather {
  DWORD end_to_end = 0;  // the application's, 0 for most
  WCHAR* digits = nullptr;
  std::size_t capacity = 0;  // characters
  DWORD number = 0;          // goes to the host for it: no other gathering of this desktop has it
};

struct Call {
  std::uintptr_t handle = 0;
  std::atomic<std::uint64_t> id{0};  // host-wide; 0: not known yet, or the link was lost since
  std::shared_ptr<Line> line;
  std::atomic<bool> closed{false};
  std::deque<Gather> gathers;    // under way, the oldest first; Core's lock
  HTAPICALL htCall{};            // event pump only, once the call was announced or completed
  bool announced = false;        // event pump only: TAPI knows the call
  std::deque<Delivery> waiting;  // event pump only: behind a LINE_NEWCALL that TAPI was too busy for
};

struct MspInstance {
  std::uintptr_t handle = 0;
  std::atomic<std::uint64_t> id{0};
  HTAPIMSPLINE token{};
  std::shared_ptr<Line> line;
};

/// A vendor's dialog, which TAPI shows by a module of this machine.
struct Dialog {
  std::uintptr_t handle = 0;
  std::atomic<std::uint64_t> id{0};
  HTAPIDIALOGINSTANCE htDlgInst{};  // event pump only
  std::atomic<bool> closed{false};
};

struct Delivery {
  std::shared_ptr<Line> line;
  std::shared_ptr<Phone> phone;
  std::shared_ptr<Call> call;
  std::shared_ptr<Call> conference;  // for LINECALLSTATE_CONFERENCED
  std::uint16_t message = 0;         // wire number
  std::uint64_t params[3] = {0, 0, 0};
  wire::Bytes data;
  std::shared_ptr<void> weight = {};  // what it counts for among those that TAPI has not taken yet
};

/// One kind of object by handle and by host-wide id.
template <class T>
class ObjectMap {
 public:
  void add(const std::shared_ptr<T>& object) {
    by_handle_[object->handle] = object;
    if (object->id) by_id_[object->id] = object;
  }
  void name(const std::shared_ptr<T>& object, std::uint64_t id) {
    object->id = id;
    if (id) by_id_[id] = object;
  }
  /// The host knows it by that id no more: another object may come under it.
  void unname(const std::shared_ptr<T>& object) {
    const auto found = by_id_.find(object->id);
    if (found != by_id_.end() && found->second == object) by_id_.erase(found);
    object->id = 0;
  }
  void remove(const std::shared_ptr<T>& object) {
    by_handle_.erase(object->handle);
    const auto found = by_id_.find(object->id);
    if (found != by_id_.end() && found->second == object) by_id_.erase(found);
  }
  std::shared_ptr<T> by_handle(std::uintptr_t handle) const { return find(by_handle_, handle); }
  std::shared_ptr<T> by_id(std::uint64_t id) const { return find(by_id_, id); }
  template <class Predicate>
  std::vector<std::shared_ptr<T>> select(Predicate&& wanted) const {
    std::vector<std::shared_ptr<T>> found;
    for (const auto& [handle, object] : by_handle_) {
      if (wanted(*object)) found.push_back(object);
    }
    return found;
  }
  void clear() {
    by_handle_.clear();
    by_id_.clear();
  }

 private:
  template <class Map, class Key>
  static std::shared_ptr<T> find(const Map& map, Key key) {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : found->second;
  }
  std::map<std::uintptr_t, std::shared_ptr<T>> by_handle_;
  std::unordered_map<std::uint64_t, std::shared_ptr<T>> by_id_;
};

}  // namespace tsplink::proxy
