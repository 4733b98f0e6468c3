#include "tools/flash_sale/due.h"

#include <algorithm>
#include <cstdio>
#include <thread>
#include <vector>

#include "tools/flash_sale/json_object.h"
#include "tools/flash_sale/try_plan.h"

namespace sluice::flash_sale {
namespace {

using std::chrono::milliseconds;

// How long the others are watched before the moment.
constexpr auto kBaseline = std::chrono::seconds(3);

std::string Percentiles(const Latencies& latencies) {
  return "p50 " + Milliseconds(latencies.Percentile(0.5)) + "   p99 " +
         Milliseconds(latencies.Percentile(0.99)) + "   p99.9 " + Milliseconds(latencies.Percentile(0.999)) +
         "   max " + Milliseconds(latencies.Percentile(1)) + "   (" + Grouped(latencies.count()) + ")";
}

JsonObject PercentilesJson(const Latencies& latencies) {
  JsonObject json;
  json.Add("count", latencies.count()).Add("p50", latencies.Percentile(0.5));
  json.Add("p99", latencies.Percentile(0.99)).Add("p999", latencies.Percentile(0.999));
  return json.Add("max", latencies.Percentile(1));
}

}  // namespace

Due::Due(const Options& options, const Address& address, LocalServer* server, Interrupt& interrupt)
    : options_(options),
      address_(address),
      server_(server),
      interrupt_(interrupt),
      name_(options.item.empty() ? "flash-sale:" + std::to_string(options.seed) : options.item),
      held_item_(name_ + ":held"),
      held_stream_(name_ + ":held:orders"),
      other_item_(name_ + ":other"),
      other_stream_(name_ + ":other:orders"),
      probe_stream_(name_ + ":probe"),
      view_(options.quiet) {}

int Due::Run() {
  connection_ = Connection::Await(address_, run_.stop);
  Create();
  try {
    const bool through = Place() && Measure();
    if (!run_.trouble().empty()) throw Trouble(run_.trouble());
    if (!through) view_.Say("interrupted: nothing is proven");
    Remove();
    return through ? status_ : kInterrupted;
  } catch (...) {
    Remove();
    throw;
  }
}

void Due::Create() {
  const Reply there =
      connection_->Ask({"EXISTS", held_item_, held_stream_, other_item_, other_stream_, probe_stream_});
  if (there == nullptr) throw Trouble("the server is gone");
  if (IntegerOf(*there) != 0) throw Trouble("keys '" + name_ + ":...' exist already: another name (--item)");
  const std::string stock = std::to_string(options_.due);
  created_ = true;
  // A day: each buy says how long its own hold is.
  const bool made = connection_->Ask({"SECKILL.CREATE", held_item_, "STOCK", stock, "HOLD", "86400000",
                                      "STREAM", held_stream_}) &&
                    connection_->Ask({"SECKILL.CREATE", other_item_, "STOCK", "4000000000", "LIMIT", "0",
                                      "MAXQTY", "1", "STREAM", other_stream_});
  if (!made) throw Trouble("the server is gone");
}

void Due::Remove() {
  if (!created_ || options_.keep || server_ != nullptr) return;
  connection_->AskAnything({"DEL", held_item_, held_stream_, other_item_, other_stream_, probe_stream_});
}

// False where somebody wants an end.
bool Due::Place() {
  const uint64_t in_s = options_.due_in_s != 0 ? options_.due_in_s : 5 + options_.due / 40'000;
  moment_ = Clock::now() + std::chrono::seconds(in_s);
  std::vector<std::thread> parties;
  std::atomic<size_t> done = 0;
  for (size_t i = 0; i < options_.threads; ++i) {
    parties.emplace_back([this, &done] {
      try {
        PlaceSome();
      } catch (const std::exception& error) {
        run_.Fail(error.what());
      }
      ++done;
    });
  }
  while (done < parties.size()) {
    if (interrupt_.Wait(milliseconds(50))) run_.stop = true;
    const uint64_t placed = placed_;
    const std::string line = Grouped(placed) + " of " + Grouped(options_.due) + " holds are placed";
    view_.Show(static_cast<double>(placed) / static_cast<double>(options_.due), "flash-sale   placing holds",
               {line}, line);
  }
  for (std::thread& party : parties) party.join();
  if (run_.stop) return false;
  if (Clock::now() + kBaseline > moment_)
    throw Trouble("placing the holds took too long: more seconds (--due-in)");
  return true;
}

void Due::PlaceSome() {
  const auto connection = Connection::Await(address_, run_.stop);
  if (connection == nullptr) return;
  const uint64_t at_once = options_.pipeline * (options_.clients / options_.threads);
  while (!run_.stop) {
    const uint64_t first = next_.fetch_add(at_once);
    if (first >= options_.due) return;
    const uint64_t end = std::min(first + at_once, options_.due);
    const auto left = std::chrono::ceil<milliseconds>(moment_ - Clock::now()).count();
    if (left < 1) throw Trouble("placing the holds took too long: more seconds (--due-in)");
    const std::string hold = std::to_string(left);
    for (uint64_t i = first; i < end; ++i)
      connection->Append({"SECKILL.BUY", held_item_, ShortText("u", i).view(), "HOLD", hold});
    for (uint64_t i = first; i < end; ++i) {
      const Reply reply = connection->Receive();
      if (reply == nullptr) throw Trouble("the server closed a connection");
      if (const int64_t code = IntegerOf(ElementOf(*reply, 0)); code != 0)
        throw Trouble("a buy that should hold a piece is answered " + std::to_string(code));
    }
    placed_ += end - first;
  }
}

uint64_t Due::Held() {
  const Reply item = connection_->Ask({"SECKILL.GET", held_item_});
  const redisReply* held = item == nullptr ? nullptr : FieldOf(*item, "held");
  if (held == nullptr) throw Trouble("the server is gone");
  return static_cast<uint64_t>(IntegerOf(*held));
}

bool Due::WaitUntil(Clock::time_point moment, const std::string& what) {
  while (Clock::now() < moment) {
    const auto left = std::chrono::ceil<milliseconds>(moment - Clock::now());
    if (run_.stop || interrupt_.Wait(std::min(left, milliseconds(100)))) return false;
    view_.Show(0, "flash-sale   " + what, {}, what);
  }
  return true;
}

bool Due::Measure() {
  if (!WaitUntil(moment_ - kBaseline, "waiting for the moment")) return false;
  const std::string value(100, 'x');
  constexpr size_t kProbes = 10;
  SteadyLoad probes(
      address_, options_.probes_per_second, 1, kProbes, kPhases,
      [&](uint64_t, std::string&, std::vector<std::string_view>& words) {
        words = {"XADD", probe_stream_, "*", "f", value};
      },
      run_);
  std::unique_ptr<SteadyLoad> buys;
  if (options_.buys_per_second != 0) {
    buys = std::make_unique<SteadyLoad>(
        address_, options_.buys_per_second, std::min<uint64_t>(options_.pipeline, 16), options_.clients,
        kPhases,
        [&](uint64_t n, std::string& space, std::vector<std::string_view>& words) {
          space = "b" + std::to_string(n * 2654435761u % options_.users);
          words = {"SECKILL.BUY", other_item_, space};
        },
        run_);
  }
  const auto set_phase = [&](Phase phase) {
    probes.SetPhase(phase);
    if (buys) buys->SetPhase(phase);
  };
  // The first moments belong to nobody: connections are made.
  set_phase(kAfter);
  if (!WaitUntil(moment_ - kBaseline + milliseconds(500), "the others begin")) return false;
  set_phase(kBefore);
  if (!WaitUntil(moment_, "the others, before the moment")) return false;
  set_phase(kMeanwhile);
  const uint64_t answers_before = buys ? buys->answers() : 0;
  const double cpu_before = server_ != nullptr ? server_->ProcessorSeconds() : 0;
  const uint64_t all = options_.due;
  // A server that has just started and whose options are not ours gives a minute of grace.
  const Clock::time_point until = moment_ + std::chrono::seconds(options_.within_s + 90);
  for (uint64_t held = all; held > 0;) {
    if (run_.stop || interrupt_.Wait(milliseconds(20))) return false;
    held = Held();
    if (late_ms_ == 0 && held < all) late_ms_ = SecondsSince(moment_) * 1000;
    took_s_ = SecondsSince(moment_);
    const std::string line = Grouped(held) + " are still held after " + Milliseconds(took_s_) + " s";
    view_.Show(1 - static_cast<double>(held) / static_cast<double>(all), "flash-sale   holds run out",
               {line, "others, ms   " + Percentiles(probes.latencies(kMeanwhile))}, line);
    if (Clock::now() > until) throw Trouble(line);
  }
  buys_ = buys ? buys->answers() - answers_before : 0;
  cpu_s_ = server_ != nullptr ? server_->ProcessorSeconds() - cpu_before : 0;
  set_phase(kAfter);
  // What was due in that time is to be answered too.
  if (!WaitUntil(Clock::now() + milliseconds(500), "the last answers")) return false;
  probes.Stop();
  if (buys) buys->Stop();
  status_ = Conclude(probes, buys.get());
  return true;
}

int Due::Conclude(const SteadyLoad& probes, const SteadyLoad* buys) {
  const Reply audit = connection_->AskAnything({"SECKILL.AUDIT", held_item_});
  const bool sound = audit != nullptr && audit->type != REDIS_REPLY_ERROR;
  const double p99 = probes.latencies(kMeanwhile).Percentile(0.99);
  const double buys_per_second = static_cast<double>(buys_) / took_s_;
  const bool in_time = took_s_ <= static_cast<double>(options_.within_s);
  const bool quick = p99 < options_.p99_below_ms;
  const bool kept_up =
      buys == nullptr || buys_per_second >= 0.95 * static_cast<double>(options_.buys_per_second);
  const bool holds = sound && in_time && quick && kept_up;
  if (options_.json) {
    JsonObject all;
    all.Add("proven", holds)
        .Add("holds", options_.due)
        .Add("seconds", took_s_)
        .Add("first_after_ms", late_ms_);
    all.Add("buys_per_second", buys_per_second).Add("server_cpu_seconds", cpu_s_).Add("audit_clean", sound);
    all.Add("others_before_ms", PercentilesJson(probes.latencies(kBefore)));
    all.Add("others_ms", PercentilesJson(probes.latencies(kMeanwhile)));
    if (buys != nullptr) {
      all.Add("buys_before_ms", PercentilesJson(buys->latencies(kBefore)));
      all.Add("buys_ms", PercentilesJson(buys->latencies(kMeanwhile)));
    }
    std::printf("%s\n", all.text().c_str());
    return holds ? kProven : kDisproven;
  }
  std::printf("\nholds        %s ran out together: the first released after %s ms, the last after %s s\n",
              Grouped(options_.due).c_str(), Milliseconds(late_ms_).c_str(), Milliseconds(took_s_).c_str());
  std::printf("others, ms   before     %s\n", Percentiles(probes.latencies(kBefore)).c_str());
  std::printf("             meanwhile  %s\n", Percentiles(probes.latencies(kMeanwhile)).c_str());
  if (buys != nullptr) {
    std::printf("buys, ms     before     %s\n", Percentiles(buys->latencies(kBefore)).c_str());
    std::printf("             meanwhile  %s\n", Percentiles(buys->latencies(kMeanwhile)).c_str());
    std::printf("             %s a second\n", Grouped(static_cast<uint64_t>(buys_per_second)).c_str());
  }
  if (server_ != nullptr) std::printf("server       %.2f s of processor time\n", cpu_s_);
  const auto say = [](bool ok, const std::string& claim) {
    std::printf("  %s  %s\n", ok ? "ok   " : "WRONG", claim.c_str());
  };
  std::printf("\nproof\n");
  say(in_time, "all holds ended within " + std::to_string(options_.within_s) + " s");
  say(quick, "the others' p99 is below " + Milliseconds(options_.p99_below_ms) + " ms");
  if (buys != nullptr) say(kept_up, Grouped(options_.buys_per_second) + " buys a second beside");
  say(sound, "SECKILL.AUDIT recounts, and finds the same");
  return holds ? kProven : kDisproven;
}

}  // namespace sluice::flash_sale
