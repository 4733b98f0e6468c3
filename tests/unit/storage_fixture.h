// What the storage tests share: small stores, and logs opened with what they replayed.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/log.h"

namespace sluice::storage {

// A store of the smallest segments in /store, committed inside Submit(), with nothing in the background.
inline LogOptions SmallOptions() {
  LogOptions options;
  options.directory = "/store";
  options.segment_bytes = 64 << 10;
  options.commit_path = CommitPath::kInline;
  options.spare_segments = 0;
  options.new_log_id = 7;
  return options;
}

using Bodies = std::vector<std::string>;  // of records, in the log's order

inline bool IsPrefix(const Bodies& shorter, const Bodies& longer) {
  return shorter.size() <= longer.size() && std::equal(shorter.begin(), shorter.end(), longer.begin());
}

struct Opened {
  Bodies bodies;  // replayed
  std::vector<Place> places;
  RecoveryReport report;
  std::unique_ptr<Log> log;
};

inline Result<Opened> OpenLog(FileSystem& files, const LogOptions& options = SmallOptions()) {
  Opened opened;
  const auto replay = [&](Place place, std::string_view body) -> Result<void> {
    opened.bodies.emplace_back(body);
    opened.places.push_back(place);
    return {};
  };
  auto log = Log::Open(files, options, replay, &opened.report);
  if (!log) return tl::make_unexpected(log.error());
  opened.log = std::move(*log);
  return opened;
}

// For tests in which opening has to succeed; what is thrown ends the test.
inline Opened MustOpen(FileSystem& files, const LogOptions& options = SmallOptions()) {
  auto opened = OpenLog(files, options);
  EXPECT_TRUE(opened.has_value()) << opened.error().message;
  return std::move(opened.value());
}

// Records `body` in room for a little more, as callers do.
inline Result<Place> TryRecord(Log& log, std::string_view body, Log::Use use = Log::Use::kReserve) {
  auto room = log.BeginRecord(body.size() + 3, use);
  if (!room) return tl::make_unexpected(room.error());
  std::fill_n(room->body, body.size() + 3, '#');  // what is behind the body must not reach the log
  body.copy(room->body, body.size());
  log.EndRecord(body.size());
  return room->place;
}

inline Place Record(Log& log, std::string_view body) {
  auto place = TryRecord(log, body);
  EXPECT_TRUE(place.has_value()) << place.error().message;
  return place.value_or(Place{});
}

inline void Commit(Log& log, std::string_view body) {
  Record(log, body);
  log.Submit();
  log.Flush();
}

inline std::string SegmentPath(uint64_t sequence) {
  const std::string digits = std::to_string(sequence);
  return "/store/" + std::string(12 - digits.size(), '0') + digits + ".log";
}

}  // namespace sluice::storage
