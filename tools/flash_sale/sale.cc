#include "tools/flash_sale/sale.h"

#include <cstdio>
#include <vector>

#include "tools/flash_sale/json_object.h"

namespace sluice::flash_sale {
namespace {

using std::chrono::milliseconds;

std::string LatencyLine(const Crowd& crowd) {
  const auto sum = std::make_unique<Latencies>();
  crowd.AddLatenciesTo(*sum);
  return "latency ms   p50 " + Milliseconds(sum->Percentile(0.5)) + "   p90 " +
         Milliseconds(sum->Percentile(0.9)) + "   p99 " + Milliseconds(sum->Percentile(0.99)) + "   p99.9 " +
         Milliseconds(sum->Percentile(0.999)) + "   max " + Milliseconds(sum->Percentile(1));
}

std::string CodesLine(const CrowdFigures& figures) {
  std::string line = "answers     ";
  for (size_t i = 0; i < code::kCount; ++i) {
    if (figures.codes[i] != 0)
      line += std::string(" ") + code::kNames[i] + " " + Grouped(figures.codes[i]) + "  ";
  }
  return line;
}

}  // namespace

Sale::Sale(const Options& options, const Address& address, LocalServer* server, Interrupt& interrupt)
    : options_(options),
      address_(address),
      server_(server),
      interrupt_(interrupt),
      plan_(options),
      item_(options.item.empty() ? "flash-sale:" + std::to_string(options.seed) : options.item),
      stream_(item_ + ":orders"),
      view_(options.quiet) {}

int Sale::Run() {
  connection_ = Connection::Await(address_, run_.stop);
  Create();
  try {
    std::unique_ptr<Chaos> chaos;
    if (options_.chaos) chaos = std::make_unique<Chaos>(*server_, options_, plan_);
    began_ = shown_ = Clock::now();
    Workers workers(options_, address_, item_, stream_, plan_, run_);
    Crowd crowd(options_, address_, item_, plan_, run_, chaos.get());
    const bool through = SellAll(crowd, workers) && Settle(crowd, workers);
    if (!run_.trouble().empty()) throw Trouble(run_.trouble());
    int status = kInterrupted;
    if (through) {
      workers.Finish();
      status = Conclude(crowd, workers);
    } else {
      view_.Say("interrupted: nothing is proven");
    }
    Remove();
    return status;
  } catch (...) {
    Remove();
    throw;
  }
}

void Sale::Create() {
  // A user of our own choice of seed would meet his former self.
  const Reply there = connection_->Ask({"EXISTS", item_, stream_});
  if (there == nullptr) throw Trouble("the server is gone");
  if (IntegerOf(*there) != 0)
    throw Trouble("'" + item_ + "' or '" + stream_ +
                  "' exists already: another name (--item), or delete them");
  const std::string stock = std::to_string(options_.stock);
  const std::string limit = std::to_string(options_.limit);
  const std::string hold = std::to_string(options_.hold_ms);
  std::vector<std::string_view> words = {"SECKILL.CREATE", item_,   "STOCK", stock,    "STREAM",
                                         stream_,          "LIMIT", limit,   "MAXQTY", "1"};
  if (options_.hold_ms != 0) words.insert(words.end(), {"HOLD", hold});
  created_ = true;
  if (connection_->Ask(words) == nullptr ||
      connection_->Ask({"XGROUP", "CREATE", stream_, Workers::kGroup, "0", "MKSTREAM"}) == nullptr) {
    throw Trouble("the server is gone");
  }
  view_.Say("flash-sale: " + Grouped(options_.stock) + " pieces, " + Grouped(options_.tries) + " tries of " +
            Grouped(options_.users) + " users, " + std::to_string(options_.clients) +
            " connections with pipelines of " + std::to_string(options_.pipeline) + ", on " +
            address_.text() + " as '" + item_ + "', seed " + std::to_string(options_.seed));
}

void Sale::Remove() {
  if (!created_ || options_.keep || server_ != nullptr) return;
  std::string why;
  if (connection_ == nullptr) connection_ = Connection::Open(address_, why);
  if (connection_ != nullptr) connection_->AskAnything({"DEL", item_, stream_});
}

// False where somebody wants an end.
bool Sale::SellAll(Crowd& crowd, Workers& workers) {
  while (!crowd.done()) {
    if (!Round(crowd, workers, "selling")) return false;
  }
  selling_seconds_ = SecondsSince(began_);
  if (server_ != nullptr) server_seconds_ = server_->ProcessorSeconds();
  return !run_.stop;
}

// Until holds have ended and workers have nothing to do.
bool Sale::Settle(Crowd& crowd, Workers& workers) {
  // No hold ends within a minute after the start of a server whose options are not ours.
  constexpr uint64_t kGraceMs = 60'000;
  const auto limit = milliseconds(options_.hold_ms + kGraceMs) + std::chrono::seconds(options_.patience_s);
  const Clock::time_point until = Clock::now() + limit;
  bool to_kill = options_.chaos && options_.hold_ms != 0;
  for (;;) {
    if (!Round(crowd, workers, stock_.held != 0 ? "holds end" : "workers end")) return false;
    if (connection_ == nullptr) continue;
    if (to_kill && stock_.held != 0) {
      to_kill = false;
      server_->Kill();
      continue;
    }
    if (stock_.held == 0 && Drained()) {
      Look();  // a hold may have ended between the two
      if (connection_ != nullptr && stock_.held == 0) return true;
    }
    if (Clock::now() >= until)
      throw Trouble("the sale does not come to its end: " + Grouped(stock_.held) + " pieces are still held");
  }
}

// Some moments: whoever was killed is started, and somebody who watches is told. False: the end.
bool Sale::Round(Crowd& crowd, Workers& workers, const char* phase) {
  if (interrupt_.Wait(milliseconds(20))) {
    run_.stop = true;
    return false;
  }
  if (run_.stop) return false;
  if (server_ != nullptr && server_->dead()) {
    const Clock::time_point then = Clock::now();
    connection_.reset();
    server_->Restart();
    view_.Say("kill -9 number " + std::to_string(server_->kills()) + ", at " +
              Grouped(crowd.figures().attempts) + " tries; serving again after " +
              Milliseconds(SecondsSince(then) * 1000) + " ms");
  }
  Look();
  Show(crowd, workers, phase);
  return true;
}

void Sale::Look() {
  std::string why;
  if (connection_ == nullptr) connection_ = Connection::Open(address_, why);
  if (connection_ == nullptr) return;
  const Reply item = connection_->Ask({"SECKILL.GET", item_});
  if (item == nullptr) return connection_.reset();
  if (item->type != REDIS_REPLY_ARRAY)
    throw Trouble("the item " + item_ + " is gone: somebody has deleted it");
  const auto number = [&](std::string_view name) {
    const redisReply* field = FieldOf(*item, name);
    return field != nullptr ? static_cast<uint64_t>(IntegerOf(*field)) : 0;
  };
  stock_ = {number("sold"), number("held"), number("available")};
}

bool Sale::Drained() {
  if (options_.workers == 0) return true;
  const Reply groups = connection_->Ask({"XINFO", "GROUPS", stream_});
  if (groups == nullptr) return connection_.reset(), false;
  const redisReply& group = ElementOf(*groups, 0);
  const redisReply* pending = FieldOf(group, "pending");
  const redisReply* lag = FieldOf(group, "lag");
  return pending != nullptr && lag != nullptr && IntegerOf(*pending) == 0 && IntegerOf(*lag) == 0;
}

void Sale::Show(const Crowd& crowd, const Workers& workers, const char* phase) {
  const CrowdFigures figures = crowd.figures();
  const WorkerFigures working = workers.figures();
  const double passed = SecondsSince(shown_);
  if (passed >= 0.5) {
    buys_per_second_ = static_cast<double>(figures.answers - shown_answers_) / passed;
    shown_answers_ = figures.answers;
    shown_ = Clock::now();
  }
  const std::string pieces = "sold " + Grouped(stock_.sold) + "   held " + Grouped(stock_.held) +
                             "   available " + Grouped(stock_.available);
  const std::string speed = Grouped(static_cast<uint64_t>(buys_per_second_)) + " buys/s";
  std::vector<std::string> lines = {
      "stock        " + pieces,
      "buys         " + speed + "   " + Grouped(figures.attempts) + " of " + Grouped(options_.tries) +
          " tries   " + Grouped(figures.replays) + " replays",
      CodesLine(figures),
      LatencyLine(crowd),
      "workers      " + Grouped(working.read) + " read   " + Grouped(working.confirmed) + " confirmed   " +
          Grouped(working.left) + " left to run out   " + Grouped(working.late) + " too late",
  };
  if (server_ != nullptr && options_.chaos)
    lines.push_back("chaos        " + std::to_string(server_->kills()) + " kills   " + Grouped(figures.lost) +
                    " requests without an answer, sent again");
  const double bar = static_cast<double>(figures.attempts) / static_cast<double>(options_.tries);
  view_.Show(bar, std::string("flash-sale   ") + phase, lines,
             std::string(phase) + ": " + Grouped(figures.attempts) + " tries, " + speed + ", " + pieces);
}

int Sale::Conclude(const Crowd& crowd, const Workers& workers) {
  Evidence evidence;
  crowd.Testify(evidence);
  workers.Testify(evidence);
  Look();
  Show(crowd, workers, "proving");
  if (connection_ == nullptr) throw Trouble("the server is gone");
  const Proof proof = Prove(options_, plan_, evidence, *connection_, item_, stream_);
  if (options_.json) {
    TellJson(crowd, workers, proof);
  } else {
    Tell(crowd, workers, proof);
  }
  if (proof.holds()) return kProven;
  if (server_ != nullptr) {
    server_->KeepDirectory();
    view_.Say("the server's data stay in " + server_->directory());
  }
  return kDisproven;
}

void Sale::Tell(const Crowd& crowd, const Workers& workers, const Proof& proof) const {
  const CrowdFigures figures = crowd.figures();
  const WorkerFigures working = workers.figures();
  std::string out = "\n";
  out += "buys         " + Grouped(figures.answers) + " answers in " + Milliseconds(selling_seconds_) +
         " s: " + Grouped(static_cast<uint64_t>(static_cast<double>(figures.answers) / selling_seconds_)) +
         " a second\n";
  out += CodesLine(figures) + "\n" + LatencyLine(crowd) + "\n";
  out += "retries      " + Grouped(figures.lost) + " requests without an answer, " +
         Grouped(figures.replays) + " answers of what had been bought before\n";
  out += "workers      " + Grouped(working.read) + " read, " + Grouped(working.confirmed) + " confirmed, " +
         Grouped(working.left) + " left to run out, " + Grouped(working.late) + " too late\n";
  if (server_ != nullptr) {
    char text[80];
    std::snprintf(text, sizeof text, "server       %.2f s of processor time, %.2f us an answer\n",
                  server_seconds_, server_seconds_ * 1e6 / static_cast<double>(figures.answers));
    out += text;
    if (options_.chaos) out += "chaos        killed " + std::to_string(server_->kills()) + " times\n";
  }
  out += "\nproof\n";
  for (const Finding& finding : proof.findings) {
    out += std::string(finding.holds ? "  ok     " : "  WRONG  ") + finding.claim + "\n";
    if (!finding.holds) out += "         but " + finding.faults + "\n";
  }
  out += proof.holds() ? "the proof holds\n" : "THE PROOF DOES NOT HOLD\n";
  std::fputs(out.c_str(), stdout);
}

void Sale::TellJson(const Crowd& crowd, const Workers& workers, const Proof& proof) const {
  const CrowdFigures figures = crowd.figures();
  const WorkerFigures working = workers.figures();
  const auto latencies = std::make_unique<Latencies>();
  crowd.AddLatenciesTo(*latencies);
  JsonObject codes;
  for (size_t i = 0; i < code::kCount; ++i) {
    if (figures.codes[i] != 0) codes.Add(code::kNames[i], figures.codes[i]);
  }
  JsonObject latency;
  latency.Add("p50", latencies->Percentile(0.5)).Add("p90", latencies->Percentile(0.9));
  latency.Add("p99", latencies->Percentile(0.99)).Add("p999", latencies->Percentile(0.999));
  latency.Add("max", latencies->Percentile(1));
  JsonObject faults;
  for (const Finding& finding : proof.findings) {
    if (!finding.holds) faults.Add(finding.claim, finding.faults);
  }
  JsonObject all;
  all.Add("proven", proof.holds()).Add("faults", faults).Add("item", item_).Add("seed", options_.seed);
  all.Add("sold", stock_.sold).Add("held", stock_.held).Add("available", stock_.available);
  all.Add("tries", figures.attempts).Add("answers", figures.answers).Add("codes", codes);
  all.Add("replays", figures.replays).Add("unanswered", figures.lost);
  all.Add("seconds", selling_seconds_);
  all.Add("buys_per_second", static_cast<double>(figures.answers) / selling_seconds_);
  all.Add("latency_ms", latency);
  all.Add("read", working.read).Add("confirmed", working.confirmed);
  all.Add("left", working.left).Add("late", working.late);
  if (server_ != nullptr) {
    all.Add("kills", server_->kills());
    all.Add("server_cpu_us_per_answer", server_seconds_ * 1e6 / static_cast<double>(figures.answers));
  }
  std::printf("%s\n", all.text().c_str());
}

}  // namespace sluice::flash_sale
