/* SPDX-License-Identifier: MIT */
/*
 * One real symbol for each inline function of the headers: for builds without inlining and for
 * other languages.
 */
#include "shmring/shmring.h"

extern inline uint32_t shmring_load32_relaxed(const shmring_word32 *word);
extern inline uint32_t shmring_load32_acquire(const shmring_word32 *word);
extern inline void shmring_store32_relaxed(shmring_word32 *word, uint32_t value);
extern inline void shmring_store32_release(shmring_word32 *word, uint32_t value);
extern inline uint64_t shmring_load64_relaxed(const shmring_word64 *word);
extern inline uint64_t shmring_load64_acquire(const shmring_word64 *word);
extern inline void shmring_store64_relaxed(shmring_word64 *word, uint64_t value);
extern inline void shmring_store64_release(shmring_word64 *word, uint64_t value);
extern inline bool shmring_cas64_relaxed(shmring_word64 *word, uint64_t *expected,
                                         uint64_t desired);
extern inline bool shmring_cas64_acquire(shmring_word64 *word, uint64_t *expected,
                                         uint64_t desired);
extern inline bool shmring_cas64_release(shmring_word64 *word, uint64_t *expected,
                                         uint64_t desired);
extern inline bool shmring_cas64_acq_rel(shmring_word64 *word, uint64_t *expected,
                                         uint64_t desired);
extern inline bool shmring_cas32_acq_rel(shmring_word32 *word, uint32_t *expected,
                                         uint32_t desired);
extern inline void shmring_add32_release(shmring_word32 *word, uint32_t value);
extern inline void shmring_add32_relaxed(shmring_word32 *word, uint32_t value);
extern inline void shmring_add64_relaxed(shmring_word64 *word, uint64_t value);
extern inline void shmring_fence_seq_cst(void);
extern inline void shmring_fence_light(void);
extern inline void shmring_prefetch_to_write(const void *place);
extern inline void shmring_cpu_pause(void);
extern inline void shmring_cpu_watch(const shmring_word64 *word);
#if defined(__x86_64__)
extern inline void shmring_cpu_tpause(uint64_t until);
#elif defined(__aarch64__)
extern inline void shmring_cpu_wfe(void);
#endif

extern inline bool shmring_member_is_here(const shmring_member *member);
extern inline bool shmring_member_bets(const shmring_member *member);

extern inline enum shmring_backend shmring_layout_backend(uint64_t options);
extern inline void shmring_event_wake(shmring_eventcount *events, uint64_t end);

extern inline uint32_t shmring_slot_owner(uint64_t word);
extern inline bool shmring_slot_is_filled(uint64_t label);
extern inline int64_t shmring_slot_laps(uint64_t word, uint64_t lap);
extern inline bool shmring_slot_precedes(uint64_t word, uint64_t kind, uint64_t next,
                                         uint64_t laps);
extern inline enum shmring_slot_state shmring_slot_state(uint64_t word, uint64_t label);

extern inline uint32_t shmring_mpmc_slot_size(const shmring_mpmc_side *side);
extern inline shmring_word64 *shmring_mpmc_word(const shmring_mpmc_side *side, uint64_t pos);
extern inline shmring_word64 *shmring_mpmc_label(const shmring_mpmc_side *side, uint64_t pos);
extern inline uint64_t shmring_mpmc_lap(const shmring_mpmc_side *side, uint64_t pos);
extern inline int64_t shmring_mpmc_ahead(const shmring_mpmc_side *side, uint64_t pos,
                                         uint64_t word);
extern inline uint64_t shmring_mpmc_slot_end(const shmring_mpmc_side *side,
                                             const shmring_mpmc_slot *slot);
extern inline int shmring_queue_commit(shmring_queue_sender *sender, shmring_mpmc_slot *slot,
                                       uint32_t length, uint32_t type);
extern inline int shmring_queue_release(shmring_queue_receiver *receiver, shmring_mpmc_slot *slot);
extern inline uint64_t shmring_mpmc_word_at(const shmring_mpmc_side *side, uint64_t pos,
                                            uint64_t kind);
extern inline bool shmring_mpmc_is_hint_due(const shmring_mpmc_side *side, uint64_t from,
                                            uint64_t to);
extern inline shmring_mpmc_look shmring_mpmc_look_at(const shmring_mpmc_side *side, uint64_t pos);
extern inline bool shmring_mpmc_claim(shmring_mpmc_producer *producer,
                                      shmring_mpmc_slot *ret_slot);
extern inline bool shmring_mpmc_is_own(const shmring_mpmc_side *side,
                                       const shmring_mpmc_slot *slot, uint64_t kind);
extern inline int shmring_mpmc_settle(const shmring_mpmc_side *side, shmring_mpmc_slot *slot,
                                      uint64_t kind, uint64_t label);
extern inline int shmring_mpmc_commit(shmring_mpmc_producer *producer, shmring_mpmc_slot *slot,
                                      uint32_t length, uint32_t type);
extern inline bool shmring_mpmc_accept(shmring_mpmc_side *side, uint64_t label,
                                       shmring_mpmc_slot *ret_slot);
extern inline bool shmring_mpmc_take(shmring_mpmc_consumer *consumer,
                                     shmring_mpmc_slot *ret_slot);
extern inline bool shmring_mpmc_take_by(shmring_mpmc_consumer *consumer,
                                        enum shmring_mpmc_wish wish, uint32_t type,
                                        shmring_mpmc_slot *ret_slot);
extern inline int shmring_mpmc_release(shmring_mpmc_consumer *consumer, shmring_mpmc_slot *slot);

extern inline uint64_t shmring_spsc_max_message(const shmring_spsc_side *side);
extern inline int shmring_spsc_error(const shmring_spsc_side *side);
extern inline bool shmring_spsc_peer_left(const shmring_spsc_side *side);
extern inline uint64_t shmring_spsc_record_size(uint64_t length);
extern inline bool shmring_spsc_has_room(shmring_spsc_producer *producer, uint64_t size);
extern inline uint64_t shmring_spsc_skip(const shmring_spsc_producer *producer, uint64_t size);
extern inline void *shmring_spsc_reserve(shmring_spsc_producer *producer, uint64_t length);
extern inline bool shmring_spsc_stage(shmring_spsc_producer *producer, uint64_t length,
                                      uint32_t type);
extern inline void shmring_spsc_publish(shmring_spsc_producer *producer);
extern inline bool shmring_spsc_commit(shmring_spsc_producer *producer, uint64_t length,
                                       uint32_t type);
extern inline void shmring_spsc_abort(shmring_spsc_producer *producer);
extern inline void shmring_spsc_flush(shmring_spsc_consumer *consumer);
extern inline bool shmring_spsc_has_record(shmring_spsc_consumer *consumer);
extern inline bool shmring_spsc_accept(shmring_spsc_consumer *consumer, uint64_t header);
extern inline const void *shmring_spsc_peek(shmring_spsc_consumer *consumer, uint64_t *ret_length,
                                            uint32_t *ret_type);
extern inline void shmring_spsc_hold(shmring_spsc_consumer *consumer);
extern inline void shmring_spsc_release(shmring_spsc_consumer *consumer);

extern inline void *shmring_array_reserve(shmring_array_producer *producer, uint64_t count,
                                          uint64_t *ret_count);
extern inline bool shmring_array_commit(shmring_array_producer *producer, uint64_t count);
extern inline const void *shmring_array_peek(shmring_array_consumer *consumer, uint64_t count,
                                             uint64_t *ret_count);
extern inline bool shmring_array_release(shmring_array_consumer *consumer, uint64_t count);

extern inline void shmring_spin_shrink(shmring_spin *spin);
extern inline void shmring_spin_judge(shmring_spin *spin, uint64_t done);
extern inline int64_t shmring_spin_window(int64_t window, int64_t waited);
extern inline void shmring_spin_miss(shmring_spin *spin, uint64_t done);
extern inline void shmring_spin_hit(shmring_spin *spin);
extern inline void shmring_wake(shmring_waiter *waiter);

extern inline int shmring_sender_reserve(shmring_sender *sender, uint64_t length, int64_t deadline,
                                         void **ret_place);
extern inline bool shmring_sender_commit(shmring_sender *sender, uint64_t length, uint32_t type);
extern inline int shmring_sender_send(shmring_sender *sender, const void *message, uint64_t length,
                                      uint32_t type, int64_t deadline);
extern inline int shmring_receiver_peek(shmring_receiver *receiver, int64_t deadline,
                                        const void **ret_message, uint64_t *ret_length,
                                        uint32_t *ret_type);
extern inline void shmring_receiver_release(shmring_receiver *receiver);
extern inline int shmring_receiver_recv(shmring_receiver *receiver, void *buffer,
                                        uint64_t buffer_size, uint64_t *ret_length,
                                        uint32_t *ret_type, int64_t deadline);
extern inline int shmring_link_fd(const shmring_link *link);
extern inline int shmring_handshake_fd(const shmring_handshake *handshake);
extern inline int64_t shmring_handshake_deadline(const shmring_handshake *handshake);
extern inline int shmring_listener_fd(const shmring_listener *listener);
