// A connection's part in TLS: cipher text in, cipher text out.
//
// The happy path: what the socket gives is opened record by record, and each piece of plain text goes the way
// of plain connections. At the end of the tick what is committed of the output is given to the stream, sealed
// a slice at a time and written; the handshake's own words leave the same way, and wait for no commit.
//
// What can fail: the handshake (the alert is still sent, then the end), a record that was forged or cut (the
// end), the peer's going away with data pending in either direction: everything pending belongs to the
// connection, and dies with it once the loop has let go of the socket.

#include <spdlog/spdlog.h>

#include "server/net/connection.h"

namespace sluice::net {
namespace {

// Memory that an empty `cipher_` may keep for the next reply.
constexpr size_t kKeptCipherBytes = 4096;

}  // namespace

void Connection::ReceivedCipher(std::string_view cipher) {
  if (!tls_->Receive(cipher)) return Close();
  while (!closing() && !session_.close) {
    const std::span<char> room = Room();
    if (room.empty()) return Close();
    const TlsStream::Opened opened = tls_->Open(room);
    if (opened.status == TlsStream::Status::kNothing) break;
    if (opened.status == TlsStream::Status::kBytes) {
      Received({room.data(), opened.bytes});
      continue;
    }
    if (opened.status == TlsStream::Status::kEnded) {
      ReceivedEnd();
    } else {
      if (shared_.limit_pace.Allow(shared_.ticker.now().monotonic_ms)) {
        spdlog::debug("{} closed: TLS: {}", session_.peer, tls_->error());
      }
      Close();
    }
    break;
  }
  if (tls_->wants_to_send() && !closing()) shared_.ticker.Touch(*this);
}

// Sends as Send() does: the first slice at once, what follows when the kernel asks for it, so that a giant
// reply does not keep the loop from others. False where something is left that HandleWritten() or the
// handshake will go on with.
bool Connection::SendSealed(storage::Lsn committed) {
  commands::Output& output = session_.output;
  for (bool first = true;; first = false) {
    if (const size_t ready = output.Releasable(committed); ready != 0 && tls_->unsealed() == 0) {
      size_t from = 0;
      commands::SharedBytes plain = output.Take(ready, &from);
      tls_->Give(std::move(plain), from, ready);
    }
    if (!tls_->Seal(cipher_)) {
      Close();
      return false;
    }
    if (cipher_.empty()) return tls_->unsealed() == 0;
    const std::optional<size_t> sent = first ? TrySend(cipher_) : 0;
    if (!sent) {
      Close();
      return false;
    }
    if (*sent < cipher_.size()) {
      session_.writing_bytes = cipher_.size() + tls_->unsealed();
      WriteOn(std::string_view(cipher_).substr(*sent));
      return false;
    }
    CountSent(*sent);
    cipher_.clear();
    if (cipher_.capacity() > kKeptCipherBytes) std::string().swap(cipher_);
  }
}

// The last words of a stream that was sent whole: without them the peer must think that somebody cut it. As
// far as the socket takes them.
void Connection::SayGoodbye() {
  if (!cipher_.empty() || tls_->unsealed() != 0) return;
  if (session_.output.empty()) tls_->End();
  if (!tls_->Seal(cipher_) || cipher_.empty()) return;
  TrySend(cipher_);
}

}  // namespace sluice::net
