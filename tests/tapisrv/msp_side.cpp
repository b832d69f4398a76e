#include "msp_side.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>

#include "msp_instance.hpp"
#include "text.hpp"

namespace tsplink::tapisim {
namespace {

std::string plain(const std::string& clsid) {
  std::string out;
  for (const char c : clsid) {
    if (std::isxdigit(static_cast<unsigned char>(c)) != 0) {
      out.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    }
  }
  return out;
}

std::map<std::string, std::string> plain_keys(const std::map<std::string, std::string>& paths) {
  std::map<std::string, std::string> out;
  for (const auto& [clsid, path] : paths) out[plain(clsid)] = path;
  return out;
}

}  // namespace

MspSide::MspSide(Caller& caller, std::map<std::string, std::string> modules, std::chrono::milliseconds limit)
    : caller_(caller), paths_(plain_keys(modules)), limit_(limit) {
  const std::lock_guard lock(caller_.world().mutex);
  caller_.world().listener = this;
}

MspSide::~MspSide() {
  {
    const std::lock_guard lock(caller_.world().mutex);
    caller_.world().listener = nullptr;
  }
  for (auto& instance : instances_) instance->stop();
}

void MspSide::add(Object* msp, const Bytes& clsid) {
  const std::string name = clsid.size() == 16 ? guid_text(clsid.data()) : "none";
  const auto path = paths_.find(plain(name));
  if (path == paths_.end()) {
    caller_.world().note("no --msp for the CLSID " + name + ": nothing plays the MSP of this instance");
    return;
  }
  const std::lock_guard lock(mutex_);
  auto& module = modules_[path->second];
  if (module == nullptr) module = std::make_unique<tests::Module>(path->second, tests::Module::AtTheEnd::unload);
  const auto create = reinterpret_cast<msp::CreateAddress>(module->symbol("create_msp_address"));
  if (create == nullptr) throw Stop("the MSP module " + path->second + " does not export create_msp_address");
  GUID guid{};
  std::memcpy(&guid, clsid.data(), sizeof guid);
  msp::Address* address = create(&guid);
  if (address == nullptr) throw Stop("the MSP module " + path->second + " does not know the CLSID " + name);
  instances_.push_back(std::make_shared<MspInstance>(caller_, msp, address));
}

std::shared_ptr<MspInstance> MspSide::of(const Object* msp) {
  const std::lock_guard lock(mutex_);
  for (const auto& instance : instances_) {
    if (instance->object() == msp) return instance;
  }
  return nullptr;
}

std::vector<std::shared_ptr<MspInstance>> MspSide::of_line(const Object* line) {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<MspInstance>> out;
  for (const auto& instance : instances_) {
    if (instance->object()->line == line) out.push_back(instance);
  }
  return out;
}

void MspSide::remove(Object* msp) {
  const auto instance = of(msp);
  if (instance == nullptr) return;
  instance->stop();
  const std::lock_guard lock(mutex_);
  instances_.erase(std::find(instances_.begin(), instances_.end(), instance));
}

void MspSide::create_call(Object* call) {
  for (const auto& instance : of_line(call->line)) {
    instance->create_call(call);
    instance->drain(limit_);
  }
}

bool MspSide::wait_created(const Object* call) {
  bool all = true;
  for (const auto& instance : of_line(call->line)) {
    all = instance->drain(limit_) && instance->has_call(call) && all;
  }
  return all;
}

void MspSide::end_call(Object* call) {
  for (const auto& instance : of_line(call->line)) {
    instance->end_call(call);
    instance->drain(limit_);
  }
}

void MspSide::command(const Object* msp, const Object* call, const std::string& text) {
  const auto instance = of(msp);
  if (instance == nullptr) throw Stop("no MSP module plays this instance; give --msp CLSID=PATH");
  instance->command(call, text);
  instance->drain(limit_);
  if (instance->answer() != msp::kOk) {
    throw std::runtime_error("the MSP answered " + hex_number(static_cast<std::uint32_t>(instance->answer())) +
                             " to \"" + text + "\"");
  }
}

std::string MspSide::expect(const Object* msp, const std::string& part, std::chrono::milliseconds limit) {
  const auto instance = of(msp);
  if (instance == nullptr) throw Stop("no MSP module plays this instance; give --msp CLSID=PATH");
  auto text = instance->take(part, limit);
  if (text.empty() && (!caller_.world().broken || caller_.world().keep_going)) {
    const auto others = instance->waiting();
    throw std::runtime_error("no MSP event with \"" + part + "\" came in time" +
                             (others.empty() ? "" : "; there is: " + others));
  }
  return text;
}

void MspSide::happened(const Happening& happening) {
  if (happening.event == nullptr || happening.object == nullptr) return;
  if (happening.event->value == LINE_NEWCALL) {
    for (const auto& instance : of_line(happening.object)) instance->create_call(happening.call);
  } else if (happening.event->value == LINE_SENDMSPDATA) {
    for (const auto& instance : of_line(happening.object)) {
      if (happening.p[0] == 0 || happening.p[0] == instance->object()->tapi) {
        instance->receive(happening.call, happening.data);
      }
    }
  }
}

}  // namespace tsplink::tapisim
