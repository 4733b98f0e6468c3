// Events in human form: every type has a name, and as many members as it has names for.
#include "server/engine/event_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace sluice::engine {
namespace {

TEST(EventText, ShowsMembersUnderTheirNames) {
  KeyNames names;
  const ObjectId stream = MakeObjectId(3, 1);
  EXPECT_EQ(EventText(TrimStream{stream, {5, 6}}, names, 60), "TrimStream stream=#4294967299 last=5-6");
  names.Note(CreateKey{stream, 0, ObjectType::kStream, "or\"d\r\ners"});
  EXPECT_EQ(EventText(AppendEntry{0, stream, {7, 1}, 2, "$1\r\na\xff"}, names, 60),
            "AppendEntry body_offset=0 stream=\"or\\\"d\\r\\ners\" id=7-1 pairs=2 fields=\"$1\\r\\na\\xff\"");
  EXPECT_EQ(EventText(SetString{stream, "0123456789"}, names, 4),
            "SetString object=\"or\\\"d\"...(9 bytes) value=\"0123\"...(10 bytes)");
  const std::vector<StreamId> ids(10, StreamId{1, 2});
  EXPECT_EQ(EventText(Release{stream, 1, std::span(ids).first(2)}, names, 60),
            "Release stream=\"or\\\"d\\r\\ners\" group=1 ids=2[1-2 1-2]");
  EXPECT_THAT(EventText(Release{stream, 1, ids}, names, 60), testing::HasSubstr("ids=10[1-2 1-2"));
  names.Note(RenameKey{stream, 0, "b"});
  EXPECT_EQ(EventText(RemoveKey{stream}, names, 60), "RemoveKey object=\"b\"");
  names.Note(RemoveKey{stream});
  EXPECT_EQ(names.Find(stream), nullptr);
}

template <size_t... kAll>
std::vector<std::string> TextOfEach(std::index_sequence<kAll...>) {
  return {EventText(Event{std::in_place_index<kAll>}, KeyNames(), 60)...};
}

TEST(EventText, EveryEventAndMemberHasAName) {
  for (const std::string& text : TextOfEach(std::make_index_sequence<std::variant_size_v<Event>>())) {
    EXPECT_THAT(text, testing::Not(testing::HasSubstr("event "))) << "add it to event_text.cc";
    EXPECT_THAT(text, testing::Not(testing::HasSubstr(" member="))) << "add it to event_text.cc";
  }
}

}  // namespace
}  // namespace sluice::engine
