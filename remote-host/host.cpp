#include "remote-host/host.hpp"

#include <atomic>
#include <future>
#include <map>

#include "remote-host/broker/broker.hpp"
#include "remote-host/control/answers.hpp"
#include "remote-host/control/server.hpp"
#include "remote-host/platform.hpp"
#include "remote-host/worker/worker.hpp"
#include "security/context.hpp"
#include "security/file_watch.hpp"
#include "wire/link/server.hpp"
#include "wire/schema.hpp"
#include "wire/system.hpp"
#include "wire/trace.hpp"

#ifndef TSPLINK_VERSION
#define TSPLINK_VERSION "0"
#endif

namespace tsplink::host {

namespace {

/// `texts`: of the files, where somebody has read them already.
security::IdentityFiles identity_of(const Config& config, const security::FileWatch::Texts& texts = {}) {
  return {config.certificate, config.key, config.authority, config.revocations, config.passphrase, texts};
}

std::shared_ptr<const security::Context> context_of(const security::IdentityFiles& files) {
  auto context = security::Context::load(security::Side::Server, files);
  for (const auto& warning : context->warnings()) log::warn(warning);
  return context;
}

void tell(const std::string& sentence) { log::error(sentence); }

std::string revocations_text(const security::Context& context) {
  std::string text;
  for (const auto& list : context.revocations()) {
    text += (text.empty() ? "" : "; ") + ("number " + list.number) + " of \"" + list.authority + "\", until " +
            security::rfc3339(list.ends);
  }
  return text;
}

/// A copy from before a revocation, say from a backup, admits again whom it revoked.
void warn_of_older_lists(const security::Context& before, const security::Context& now) {
  for (const auto& list : now.revocations()) {
    for (const auto& old : before.revocations()) {
      const auto order = std::pair(list.number.size(), list.number) < std::pair(old.number.size(), old.number);
      if (old.authority != list.authority || !order) continue;
      log::warn("The revocation list of \"" + list.authority + "\" is number " + list.number +
                " now, and was number " + old.number +
                ": who was revoked since is admitted again. Put the newest one there.");
    }
  }
}

link::Limits limits_of(const LimitsConfig& config) {
  using std::chrono::milliseconds;
  link::Limits limits;
  limits.frame = config.frame_bytes;
  limits.frame_before_hello = config.frame_before_hello_bytes;
  limits.kept = config.session_bytes;
  limits.handshake = milliseconds(config.handshake_ms);
  limits.hello = milliseconds(config.hello_ms);
  limits.heartbeat = milliseconds(config.heartbeat_ms);
  limits.dead_after = milliseconds(config.dead_after_ms);
  limits.unauthenticated = config.unauthenticated;
  limits.unauthenticated_by_address = config.unauthenticated_by_address;
  limits.connections = config.connections;
  return limits;
}

link::LocalInfo local_info() {
  link::LocalInfo local;
  local.product = TSPLINK_VERSION;
  local.machine = wire::machine_name();
  local.sheet = wire::sheet_hash();
  return local;
}

}  // namespace

class Host::Impl final : public link::ServerHandler, private Sessions, private Timers, private control::Controlled {
 public:
  Impl(const Config& config, const wire::Clock& clock)
      : clock_(clock),
        config_(config),
        permanent_(std::make_shared<PermanentIds>(config.site, config.permanent_ids)),
        reactor_(clock,
                 [](link::Level level, const std::string& line) {
                   log::write(level == link::Level::Warning ? log::Level::Warn : log::Level::Info, line);
                 }),
        policy_(
            clock, {{config.policy, "policy file"}}, [this](const auto& texts) { take_policy(texts); }, tell),
        certificates_(
            clock, security::watched(identity_of(config)), [this](const auto& texts) { take_certificates(texts); },
            tell),
        broker_(*this, *this, std::make_shared<const Policy>(Policy::read(config.policy)),
                broker_options(config, clock), &audit_),
        context_(context_of(identity_of(config))),
        server_(reactor_, config.listen_address, config.listen_port, context_, local_info(), limits_of(config.limits),
                *this) {
    for (const auto& provider : config.providers) add_worker(provider);
  }

  void start() {
    start_control();
    server_.start();  // a port in use is found before any vendor's driver is woken; desktops are served further down
    for (auto& each : workers_) {
      log::info("Starting provider " + each->worker->name() + ".");
      const auto begin = clock_.now();
      each->worker->start();
      each->ready_at = clock_.now().time_since_epoch();
      const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - begin);
      log::info("Provider " + each->worker->name() + " is ready: " + std::to_string(each->worker->lines()) +
                " lines, " + std::to_string(each->worker->phones()) + " phones, initialised in " +
                std::to_string(took.count()) + " ms.");
    }
    reactor_.start();
    serving_ = true;
    if (!config_.port_file.empty()) {
      write_whole_file(config_.port_file, std::to_string(server_.port()) + "\n", "port_file");
      port_file_written_ = true;
    }
    policy_.start();
    certificates_.start();
    log::info("Listening on " + config_.listen_address + ", port " + std::to_string(server_.port()) + ".");
    watch();
  }

  bool stop() {
    control_.reset();
    policy_.stop();
    certificates_.stop();
    server_.stop();
    if (port_file_written_) {
      std::error_code ignored;
      std::filesystem::remove(config_.port_file, ignored);
    }
    port_file_written_ = false;
    const bool all = stop_workers();
    reactor_.stop();
    return all;
  }

  std::uint16_t port() const { return server_.port(); }

  std::string on_hello(const link::PeerInfo&) override { return {}; }
  void on_up(link::SessionId session, const link::PeerInfo& desktop) override {
    names_[session] = log::shown(desktop.machine) + " (" + desktop.certificate.subject + ", " + desktop.address + ")";
    const auto& certificate = desktop.certificate;
    const auto granted = broker_.session_up(
        session, {desktop.machine, {certificate.subject, certificate.alternative_names}, desktop.address});
    const auto text = "Desktop " + names_[session] + " is connected, session " + std::to_string(session) + ", ";
    if (granted == 0) {
      log::warn(text + "and the policy grants it nothing: tsplinkctl policy show --as says what it grants to whom.");
    } else {
      log::info(text + std::to_string(granted) + " lines and phones are granted to it.");
    }
  }
  void on_message(link::SessionId session, wire::Buffer envelope) override {
    show(session, " sent: ", envelope);
    broker_.session_message(session, envelope);
  }
  void on_down(link::SessionId session, const std::string& reason) override {
    log::info("Desktop " + names_[session] + " is gone: " + reason + ", session " + std::to_string(session) + ".");
    names_.erase(session);
    broker_.session_down(session, reason);
  }

 private:
  /// From the worker: posted to the reactor. To the worker: straight into its queues.
  struct Attached final : wire::Channel {
    explicit Attached(Impl& owner) : owner_(owner) {}
    void send(wire::Buffer envelope) override {
      owner_.reactor_.post(
          [this, envelope = std::move(envelope)] { owner_.broker_.worker_message(number, envelope); });
    }

    struct Requests final : wire::Channel {
      explicit Requests(Attached& to) : to_(to) {}
      void send(wire::Buffer request) override { to_.worker->receive(std::move(request)); }
      Attached& to_;
    };
    Impl& owner_;
    Requests requests{*this};
    std::size_t number = 0;
    std::string module;
    std::unique_ptr<Worker> worker;
    std::atomic<wire::Duration> ready_at{};  // none: not yet
  };

  static BrokerOptions broker_options(const Config& config, const wire::Clock& clock) {
    BrokerOptions options;
    options.clock = &clock;
    options.requests_in_flight = config.limits.requests_in_flight;
    return options;
  }

  void add_worker(const ProviderConfig& provider) {
    auto attached = std::make_unique<Attached>(*this);
    WorkerOptions options;
    options.name = provider.name;
    attached->module = provider.module.string();
    options.permanent_id = provider.permanent_id;
    if (provider.slot_bytes) options.slot_bytes = provider.slot_bytes;
    if (provider.scoped_call_ids) options.call_ids.emplace(config_.site, provider.name);
    options.watchdog = std::chrono::milliseconds(config_.limits.watchdog_ms);
    attached->worker =
        std::make_unique<Worker>(std::move(options), load_module(provider.module), *attached, clock_, permanent_);
    attached->number = broker_.add_worker(
        provider.name, attached->requests,
        {provider.desktops_configure, provider.monitor_media, std::chrono::milliseconds(provider.shared_answers_ms)});
    workers_.push_back(std::move(attached));
  }

  /// Side by side: several drivers that hang take no longer than one. Not those of one module, which need not bear
  /// that.
  bool stop_workers() {
    std::map<std::string, std::vector<Worker*>> by_module;
    for (auto& each : workers_) by_module[each->module].push_back(each->worker.get());
    std::vector<std::future<bool>> ends;
    ends.reserve(by_module.size());
    for (auto& [module, of_module] : by_module) {
      ends.push_back(std::async(std::launch::async, [&workers = of_module] {
        bool all = true;
        for (auto* worker : workers) all = worker->stop() && all;
        return all;
      }));
    }
    bool all = true;
    for (auto& end : ends) all = end.get() && all;
    return all;
  }

  void take_policy(const security::FileWatch::Texts& texts) {
    const auto policy =
        std::make_shared<const Policy>(Policy::parse(texts.at(config_.policy)->text(), config_.policy));
    reactor_.post([this, policy] { broker_.set_policy(policy); });
    log::info("The policy " + config_.policy.string() + " is in force.");
  }

  void take_certificates(const security::FileWatch::Texts& texts) {
    std::shared_ptr<const security::Context> context;
    try {
      context = context_of(identity_of(config_, texts));
    } catch (const security::Error& failure) {
      throw Failure(Kind::Configuration, "The certificates cannot be used: " + std::string(failure.what()) + ".");
    }
    warn_of_older_lists(*this->context(), *context);
    {
      const std::lock_guard lock(context_mutex_);
      context_ = context;
    }
    reactor_.post([this, context] { server_.set_context(context); });
    log::info("The certificates are in force: " + security::describe(context->own()) +
              (context->revocations().empty() ? "" : "; revocation list: " + revocations_text(*context)) + ".");
  }

  std::shared_ptr<const security::Context> context() const {
    const std::lock_guard lock(context_mutex_);
    return context_;
  }

  void start_control() {
    const auto& socket = config_.control.socket;
    if (socket.empty()) return;
    try {
      control_ = std::make_unique<control::Server>(
          socket, config_.control.group,
          [this](const std::string& request) { return control::answer(*this, request, clock_); }, clock_);
      log::info("tsplinkctl is answered at " + socket + ".");
    } catch (const Failure& failure) {
      if (config_.control.chosen || !config_.control.group.empty()) throw;
      log::warn(std::string(failure.what()) + " The host goes on without being reached by tsplinkctl.");
    }
  }

  /// From another thread: on the reactor's, where the broker lives.
  template <class F>
  auto on_reactor(F function) {
    if (!serving_) throw Failure(Kind::Unavailable, "The host still starts its providers; try again later.");
    auto task = std::make_shared<std::packaged_task<decltype(function())()>>(std::move(function));
    auto result = task->get_future();
    reactor_.post([task] { (*task)(); });
    const auto until = clock_.now() + kControlPatience;
    while (result.wait_for(clock_.nap(until - clock_.now())) != std::future_status::ready) {
      if (clock_.now() < until) continue;
      throw Failure(Kind::DeadlinePassed, "The host is too busy to answer; try again.");
    }
    return result.get();
  }

  control::HostFacts facts() override {
    const auto now = clock_.now();
    const auto until_now = [&](auto from) { return std::chrono::duration_cast<std::chrono::seconds>(now - from); };
    control::HostFacts facts;
    facts.serving = serving_;
    facts.uptime = until_now(begun_);
    const bool v6 = config_.listen_address.find(':') != std::string::npos;
    facts.listen = (v6 ? "[" + config_.listen_address + "]" : config_.listen_address) + ":" +
                   std::to_string(facts.serving ? server_.port() : config_.listen_port);
    facts.policy = config_.policy.string();
    facts.policy_taken = policy_.taken();
    facts.policy_problem = policy_.problem();
    const auto context = this->context();
    facts.certificate = context->own().subject;
    facts.certificate_expires = context->own().not_after;
    facts.certificates_taken = certificates_.taken();
    facts.revocations = revocations_text(*context);
    facts.certificates_problem = certificates_.problem();
    for (const auto& warning : context->warnings())
      facts.certificates_problem += (facts.certificates_problem.empty() ? "" : "; ") + warning;
    for (const auto& each : workers_) {
      const auto activity = each->worker->activity();
      facts.providers.push_back({each->worker->name(), each->module, std::nullopt, each->worker->lines(),
                                 each->worker->phones(), activity.running, activity.stuck});
      if (const auto at = each->ready_at.load(); at.count())
        facts.providers.back().uptime = until_now(wire::TimePoint(at));
    }
    return facts;
  }
  Inspection inspect() override {
    return on_reactor([this] { return broker_.inspect(); });
  }
  void kick(SessionId session, const std::string& reason) override { server_.close(session, reason); }
  void reload() override {
    std::string problems;
    for (auto* each : {&policy_, &certificates_}) {
      try {
        each->take_now();
      } catch (const std::exception& failure) {
        problems += (problems.empty() ? "" : " ") + std::string(failure.what());
      }
    }
    on_reactor([] {});  // behind what they have posted
    if (!problems.empty()) throw Failure(Kind::Configuration, problems);
  }

  void watch() {
    for (auto& each : workers_) each->worker->watch();
    reactor_.after(std::chrono::seconds(1), [this] { watch(); });
  }

  /// Each frame as a line, with dialled numbers and digits: at the lowest level alone.
  void show(SessionId session, const char* direction, const wire::Buffer& envelope) const {
    if (!log::enabled(log::Level::Trace)) return;
    const auto name = names_.find(session);
    log::write(log::Level::Trace,
               "Desktop " + (name == names_.end() ? "?" : name->second) + direction + wire::trace_frame(*envelope));
  }

  void send(SessionId session, wire::Buffer envelope) override {
    show(session, " is sent: ", envelope);
    try {
      server_.send(session, std::move(envelope));
    } catch (const Failure& failure) {
      log::error(std::string("An envelope for a desktop is dropped: ") + failure.what());
    }
  }
  void close(SessionId session, const std::string& reason) override { server_.close(session, reason); }
  void after(wire::Duration delay, std::function<void()> task) override { reactor_.after(delay, std::move(task)); }

  static constexpr std::chrono::seconds kControlPatience{4};  // less than the control program's

  const wire::Clock& clock_;
  const Config config_;
  const wire::TimePoint begun_ = clock_.now();
  std::atomic<bool> serving_{false};
  const std::shared_ptr<PermanentIds> permanent_;
  link::Reactor reactor_;
  security::FileWatch policy_;
  security::FileWatch certificates_;
  AuditLog audit_;
  Broker broker_;
  std::vector<std::unique_ptr<Attached>> workers_;
  mutable std::mutex context_mutex_;
  std::shared_ptr<const security::Context> context_;
  link::Server server_;
  std::unique_ptr<control::Server> control_;
  std::unordered_map<SessionId, std::string> names_;
  bool port_file_written_ = false;
};

Host::Host(const Config& config, const wire::Clock& clock) : impl_(std::make_unique<Impl>(config, clock)) {}
Host::~Host() { impl_->stop(); }
void Host::start() { impl_->start(); }
bool Host::stop() { return impl_->stop(); }
std::uint16_t Host::port() const { return impl_->port(); }

}  // namespace tsplink::host
