#include "msp_instance.hpp"

#include "constants.hpp"
#include "text.hpp"

namespace tsplink::tapisim {
namespace {
constexpr DWORD kAudio = 8;  // TAPIMEDIATYPE_AUDIO
}

MspInstance::MspInstance(Caller& caller, Object* msp, msp::Address* address)
    : caller_(caller), world_(caller.world()), msp_(msp), address_(address), thread_([this] { work(); }) {
  post([this] {
    const HRESULT result = address_->Initialize(
        [](void* context) {
          auto* self = static_cast<MspInstance*>(context);
          const std::lock_guard lock(self->mutex_);
          self->signalled_ = true;
          self->changed_.notify_all();
        },
        this);
    if (result != msp::kOk) complain("Initialize", result);
  });
}

MspInstance::~MspInstance() { stop(); }

void MspInstance::stop() {
  if (!thread_.joinable()) return;
  post([this] {
    for (const auto& [call, object] : calls_) {
      (void)call;
      address_->ShutdownMSPCall(object);
    }
    calls_.clear();
    address_->Shutdown();
    address_->Release();
    address_ = nullptr;
  });
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void MspInstance::post(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  changed_.notify_all();
}

void MspInstance::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return !tasks_.empty() || signalled_ || ending_; });
    if (!tasks_.empty()) {
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      working_ = true;
      lock.unlock();
      task();
      lock.lock();
      working_ = false;
      changed_.notify_all();
    } else if (signalled_) {
      signalled_ = false;
      working_ = true;
      lock.unlock();
      try {
        give_events();
      } catch (const std::exception&) {
        // a rule is broken and reported; the scenario ends by itself
      }
      lock.lock();
      working_ = false;
      changed_.notify_all();
    } else {
      return;
    }
  }
}

void MspInstance::give_events() {
  while (address_ != nullptr) {
    msp::EventInfo info{};
    const HRESULT result = address_->GetEvent(&info);
    if (result == msp::kNoEvent) return;
    if (result != msp::kOk) return complain("GetEvent", result);
    if (info.event == msp::ME_TSP_DATA) {
      give_data(info);
      continue;
    }
    const std::string text(reinterpret_cast<const char*>(info.bytes), info.size);
    world_.trace.line("  MSP event: " + text);
    const std::lock_guard lock(mutex_);
    texts_.push_back(text);
    changed_.notify_all();
  }
}

void MspInstance::give_data(const msp::EventInfo& info) {
  Arguments arguments;
  arguments.objects = {{"hdMSPLine", msp_}, {"hdLine", msp_->line}};
  Object* call = nullptr;
  if (info.call != 0) {
    const std::lock_guard lock(world_.mutex);
    const auto found = world_.by_tapi.find(info.call);
    if (found != world_.by_tapi.end() && !found->second->closed && found->second->usable) call = found->second;
  }
  if (info.call != 0 && call == nullptr) {
    world_.note(
        "the MSP has data for a call that the provider does not know; it is not sent (flows.md, outgoing call)");
    return;
  }
  if (call != nullptr) arguments.objects["hdCall"] = call;
  arguments.values["pBuffer"] = "x:" + hex(info.bytes, info.size);
  const auto outcome = caller_.call(*find_function("lineReceiveMSPData"), arguments, msp_->section, Show::trace_only);
  const std::lock_guard lock(world_.mutex);
  world_.emit_beside(msp_->section, "from " + World::mark(msp_),
                     "lineReceiveMSPData(hdCall=" + World::mark(call) + ", pBuffer=" + block(info.bytes, info.size) +
                         ") = " + result_text(outcome.result));
}

void MspInstance::complain(const std::string& what, HRESULT result) {
  world_.note("the MSP's " + what + " answered " + hex_number(static_cast<std::uint32_t>(result)));
}

void MspInstance::create_call(Object* call) {
  post([this, call] {
    msp::CallObject* object = nullptr;
    const HRESULT result = address_->CreateMSPCall(call->tapi, kAudio, &object);
    world_.trace.line("  MSP: CreateMSPCall for " + World::name(call) + " = " +
                      hex_number(static_cast<std::uint32_t>(result)));
    if (result != msp::kOk) return;
    const std::lock_guard lock(mutex_);
    calls_[call] = object;
  });
}

void MspInstance::end_call(Object* call) {
  post([this, call] {
    msp::CallObject* object = nullptr;
    {
      const std::lock_guard lock(mutex_);
      const auto found = calls_.find(call);
      if (found == calls_.end()) return;
      object = found->second;
      calls_.erase(found);
    }
    const HRESULT result = address_->ShutdownMSPCall(object);
    world_.trace.line("  MSP: ShutdownMSPCall for " + World::name(call) + " = " +
                      hex_number(static_cast<std::uint32_t>(result)));
  });
}

void MspInstance::receive(Object* call, Bytes data) {
  post([this, call, data = std::move(data)] {
    msp::CallObject* object = nullptr;
    if (call != nullptr) {
      const std::lock_guard lock(mutex_);
      const auto found = calls_.find(call);
      if (found != calls_.end()) object = found->second;
    }
    if (call != nullptr && object == nullptr) {
      world_.note("data for a call without an MSP call object is dropped");
      return;
    }
    const HRESULT result = address_->ReceiveTSPData(object, data.data(), static_cast<DWORD>(data.size()));
    if (result != msp::kOk) complain("ReceiveTSPData", result);
  });
}

void MspInstance::command(const Object* call, const std::string& text) {
  post([this, call, text] {
    msp::CallObject* object = nullptr;
    if (call != nullptr) {
      const std::lock_guard lock(mutex_);
      const auto found = calls_.find(call);
      if (found != calls_.end()) object = found->second;
    }
    const HRESULT result = address_->Command(object, text.c_str());
    world_.trace.line("  MSP: Command \"" + text + "\" = " + hex_number(static_cast<std::uint32_t>(result)));
    const std::lock_guard lock(mutex_);
    answer_ = result;
  });
}

HRESULT MspInstance::answer() {
  const std::lock_guard lock(mutex_);
  return answer_;
}

std::string MspInstance::waiting() {
  const std::lock_guard lock(mutex_);
  return join({texts_.begin(), texts_.end()}, "; ");
}

bool MspInstance::drain(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [this] { return tasks_.empty() && !signalled_ && !working_; });
}

bool MspInstance::has_call(const Object* call) {
  const std::lock_guard lock(mutex_);
  return calls_.count(call) != 0;
}

std::string MspInstance::take(const std::string& part, std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  std::string found;
  changed_.wait_for(lock, limit, [&] {
    for (auto it = texts_.begin(); it != texts_.end(); ++it) {
      if (it->find(part) == std::string::npos) continue;
      found = *it;
      texts_.erase(it);
      return true;
    }
    return world_.broken && !world_.keep_going;
  });
  return found;
}

}  // namespace tsplink::tapisim
