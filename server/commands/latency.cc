// LATENCY: when the server made everybody wait, and how long each command takes.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "server/commands/arguments.h"
#include "server/commands/command_table.h"
#include "server/commands/diagnostics.h"
#include "server/commands/handlers.h"

namespace sluice::commands {
namespace {

using Series = LatencyEvents::Series;

constexpr size_t kGraphColumns = 80;

// "12s", "4m", "3h", "9d": how long ago, for the foot of a graph.
std::string Age(uint64_t seconds) {
  constexpr std::pair<uint64_t, char> kUnits[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
  for (const auto& [unit, letter] : kUnits) {
    if (seconds >= unit) return std::to_string(seconds / unit) + letter;
  }
  return "0s";
}

// A column for each sample, as high as it was slow: '_', 'o' and '#' are thirds of a line. Below each stands
// how long ago it was, read downwards.
std::string Graph(std::string_view event, const Series& series, uint64_t now_s) {
  constexpr uint64_t kLines = 4;
  const size_t shown = std::min(series.samples.size(), kGraphColumns);
  const auto first = series.samples.end() - static_cast<ptrdiff_t>(shown);
  uint64_t low = UINT64_MAX;
  uint64_t high = 0;
  size_t age_letters = 0;
  for (auto sample = first; sample != series.samples.end(); ++sample) {
    low = std::min(low, sample->ms);
    high = std::max(high, sample->ms);
    age_letters = std::max(age_letters, Age(now_s - std::min(now_s, sample->unix_s)).size());
  }
  std::string text =
      errors::Concat({event, " - high ", std::to_string(high), " ms, low ", std::to_string(low),
                      " ms (all time high ", std::to_string(series.worst_ms), " ms)\n"});
  text.append(kGraphColumns, '-');
  text += '\n';
  const uint64_t span = std::max<uint64_t>(high - low, 1);
  for (uint64_t line = kLines; line-- > 0;) {
    for (auto sample = first; sample != series.samples.end(); ++sample) {
      const uint64_t thirds = (sample->ms - low) * (kLines * 3 - 1) / span;
      text += thirds / 3 == line ? "_o#"[thirds % 3] : thirds / 3 > line ? '|' : ' ';
    }
    text += '\n';
  }
  text += '\n';
  for (size_t row = 0; row < age_letters; ++row) {
    for (auto sample = first; sample != series.samples.end(); ++sample) {
      const std::string age = Age(now_s - std::min(now_s, sample->unix_s));
      text += row < age.size() ? age[row] : ' ';
    }
    text += '\n';
  }
  return text;
}

struct Summary {
  uint64_t mean_ms = 0;
  uint64_t deviation_ms = 0;  // mean absolute
  double period_s = 0;        // between two samples
};

Summary Summarize(const Series& series) {
  Summary summary;
  uint64_t sum = 0;
  for (const auto& sample : series.samples) sum += sample.ms;
  summary.mean_ms = sum / series.samples.size();
  uint64_t off = 0;
  for (const auto& sample : series.samples) {
    off += sample.ms > summary.mean_ms ? sample.ms - summary.mean_ms : summary.mean_ms - sample.ms;
  }
  summary.deviation_ms = off / series.samples.size();
  const uint64_t seconds = series.samples.back().unix_s - series.samples.front().unix_s;
  if (series.samples.size() > 1) {
    summary.period_s = static_cast<double>(seconds) / static_cast<double>(series.samples.size() - 1);
  }
  return summary;
}

std::string Diagnose(Context& ctx) {
  const uint64_t threshold_ms = ctx.host.settings().latency_threshold_ms;
  if (threshold_ms == 0) {
    return "Latencies are not watched: CONFIG SET latency-monitor-threshold <milliseconds> turns it on. "
           "LATENCY HISTOGRAM and INFO latencystats tell of every command all the same.\n";
  }
  const LatencyEvents& latency = ctx.diagnostics().latency;
  if (latency.all().empty()) {
    return errors::Concat({"Nothing took ", std::to_string(threshold_ms),
                           " ms or longer since this was last reset. All is well.\n"});
  }
  std::string text = "What took long:\n\n";
  size_t number = 0;
  for (const auto& [event, series] : latency.all()) {
    const Summary summary = Summarize(series);
    char line[256];
    std::snprintf(
        line, sizeof line,
        "%zu. %s: %zu seconds with spikes (average %llu ms, mean deviation %llu ms, one in %.1f s). "
        "Worst: %llu ms.\n",
        ++number, event.c_str(), series.samples.size(), static_cast<unsigned long long>(summary.mean_ms),
        static_cast<unsigned long long>(summary.deviation_ms), summary.period_s,
        static_cast<unsigned long long>(series.worst_ms));
    text += line;
  }
  text += "\nWhat to do:\n\n";
  const int64_t slower_us = ctx.host.settings().slowlog_slower_than_us;
  if (latency.Find("command") != nullptr || latency.Find("fast-command") != nullptr) {
    text += "- SLOWLOG GET shows which commands they were; their arguments say why.\n";
    if (slower_us < 0 || static_cast<uint64_t>(slower_us) > threshold_ms * 1000) {
      text += errors::Concat({"- The slow log does not see all of them: CONFIG SET slowlog-log-slower-than ",
                              std::to_string(threshold_ms * 1000), ".\n"});
    }
    text += "- Ask for less at once: smaller COUNTs, SCAN instead of KEYS, shorter pipelines in MULTI.\n";
  }
  if (latency.Find("fast-command") != nullptr) {
    text += "- Commands that should be quick were slow: is the machine short of processors or of memory?\n";
  }
  if (latency.Find("expire-cycle") != nullptr) {
    text += "- Many keys end in the same moment: spread their times to live.\n";
  }
  return text;
}

void WriteHistogram(Context& ctx, const CommandTimes::Row& row) {
  ctx.reply.Bulk(row.command->name);
  ctx.reply.Map(2);
  ctx.reply.Bulk("calls");
  ctx.reply.Integer(static_cast<int64_t>(row.calls));
  ctx.reply.Bulk("histogram_usec");
  // Powers of two, each with all that took at most so long.
  std::vector<std::pair<uint64_t, uint64_t>> steps;
  uint64_t counted = 0;
  row.histogram->ForEach([&](uint64_t cycles, uint64_t count) {
    const double us = static_cast<double>(cycles) / Stopwatch::CyclesPerNanosecond() / 1000;
    uint64_t step = 1;
    while (static_cast<double>(step) < us) step *= 2;
    counted += count;
    if (steps.empty() || steps.back().first != step) steps.emplace_back(step, 0);
    steps.back().second = counted;
  });
  ctx.reply.Map(steps.size());
  for (const auto& [us, count] : steps) {
    ctx.reply.Integer(static_cast<int64_t>(us));
    ctx.reply.Integer(static_cast<int64_t>(count));
  }
}

}  // namespace

void LatencyLatest(Context& ctx) {
  const auto& all = ctx.diagnostics().latency.all();
  ctx.reply.Array(all.size());
  for (const auto& [event, series] : all) {
    ctx.reply.Array(4);
    ctx.reply.Bulk(event);
    ctx.reply.Integer(static_cast<int64_t>(series.samples.back().unix_s));
    ctx.reply.Integer(static_cast<int64_t>(series.samples.back().ms));
    ctx.reply.Integer(static_cast<int64_t>(series.worst_ms));
  }
}

void LatencyHistory(Context& ctx) {
  const Series* series = ctx.diagnostics().latency.Find(ctx.arg(2));
  if (series == nullptr) return ctx.reply.Array(0);
  ctx.reply.Array(series->samples.size());
  for (const auto& sample : series->samples) {
    ctx.reply.Array(2);
    ctx.reply.Integer(static_cast<int64_t>(sample.unix_s));
    ctx.reply.Integer(static_cast<int64_t>(sample.ms));
  }
}

void LatencyReset(Context& ctx) {
  LatencyEvents& latency = ctx.diagnostics().latency;
  size_t forgotten = 0;
  if (ctx.argc() == 2) forgotten = latency.ForgetAll();
  for (size_t i = 2; i < ctx.argc(); ++i) forgotten += latency.Forget(ctx.arg(i));
  ctx.reply.Integer(static_cast<int64_t>(forgotten));
}

void LatencyGraph(Context& ctx) {
  const Series* series = ctx.diagnostics().latency.Find(ctx.arg(2));
  if (series == nullptr) {
    return ctx.reply.Error(errors::Concat({"No samples available for event '", ctx.arg(2), "'"}));
  }
  ctx.reply.Verbatim("txt", Graph(ctx.arg(2), *series, ctx.now.unix_ms() / 1000));
}

void LatencyDoctor(Context& ctx) {
  ctx.reply.Verbatim("txt", Diagnose(ctx));
}

void LatencyHistogram(Context& ctx) {
  ctx.diagnostics().times.Close();
  std::vector<const CommandTimes::Row*> wanted;
  const auto& rows = ctx.diagnostics().times.rows();
  const auto add = [&](const Command& command) {
    const CommandTimes::Row& row = rows[command.number];
    if (row.histogram != nullptr && row.histogram->total() != 0) wanted.push_back(&row);
  };
  if (ctx.argc() == 2) ForEachCommand(add);
  for (size_t i = 2; i < ctx.argc(); ++i) {
    // A container's name means its subcommands.
    const Command* command = FindCommandByFullName(ctx.arg(i));
    if (command == nullptr) continue;
    add(*command);
    for (const Command& subcommand : command->subcommands) add(subcommand);
  }
  ctx.reply.Map(wanted.size());
  for (const CommandTimes::Row* row : wanted) WriteHistogram(ctx, *row);
}

}  // namespace sluice::commands
