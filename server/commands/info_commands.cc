// INFO commandstats, errorstats and latencystats.
#include <cstdio>

#include "server/commands/diagnostics.h"
#include "server/commands/info_lines.h"

namespace sluice::commands {
namespace {

double Microseconds(uint64_t cycles) {
  return static_cast<double>(cycles) / Stopwatch::CyclesPerNanosecond() / 1000;
}

}  // namespace

void InfoCommandstats(Context& ctx, InfoLines& lines) {
  CommandTimes& times = ctx.diagnostics().times;
  times.Close();
  for (const CommandTimes::Row& row : times.rows()) {
    if (row.calls == 0 && row.rejected == 0) continue;
    const double us = Microseconds(row.cycles);
    char text[192];
    std::snprintf(text, sizeof text,
                  "calls=%llu,usec=%.0f,usec_per_call=%.2f,rejected_calls=%llu,failed_calls=%llu",
                  static_cast<unsigned long long>(row.calls), us,
                  row.calls == 0 ? 0 : us / static_cast<double>(row.calls),
                  static_cast<unsigned long long>(row.rejected), static_cast<unsigned long long>(row.failed));
    lines.Add(errors::Concat({"cmdstat_", row.command->name}), text);
  }
}

void InfoErrorstats(Context& ctx, InfoLines& lines) {
  for (const auto& [code, count] : ctx.diagnostics().errors.all()) {
    lines.Add(errors::Concat({"errorstat_", code}), errors::Concat({"count=", std::to_string(count)}));
  }
}

void InfoLatencystats(Context& ctx, InfoLines& lines) {
  CommandTimes& times = ctx.diagnostics().times;
  times.Close();
  for (const CommandTimes::Row& row : times.rows()) {
    if (row.histogram == nullptr || row.histogram->total() == 0) continue;
    char text[96];
    std::snprintf(text, sizeof text, "p50=%.3f,p99=%.3f,p99.9=%.3f",
                  Microseconds(row.histogram->Percentile(0.5)), Microseconds(row.histogram->Percentile(0.99)),
                  Microseconds(row.histogram->Percentile(0.999)));
    lines.Add(errors::Concat({"latency_percentiles_usec_", row.command->name}), text);
  }
}

}  // namespace sluice::commands
