#pragma once
/* A doubly linked list whose links live in the members; the head is a link of its own. */
#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

#define LIST_OF(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))
#define LIST_EACH(link, head) for (struct list *link = (head)->next; link != (head); link = link->next)
/* The same, where the body may remove `link`. */
#define LIST_EACH_SAFE(link, head)                                                                     \
    for (struct list *link = (head)->next, *link##_next = link->next; link != (head);                 \
         link = link##_next, link##_next = link->next)

static inline void list_init(struct list *head) { head->next = head->prev = head; }
static inline bool list_empty(const struct list *head) { return head->next == head; }
static inline void list_add_tail(struct list *head, struct list *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}
static inline void list_add_head(struct list *head, struct list *link) { list_add_tail(head->next, link); }
/* Leaves the link pointing at itself, so that removing twice does no harm. */
static inline void list_remove(struct list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}
