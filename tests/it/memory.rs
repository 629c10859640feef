//! How much memory a piece of work asks for at once, and how often: a length from the network must not become an
//! allocation, and a rectangle not one after the other.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(0) };
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

fn note(size: usize) {
    // Allocations at a thread's very end, when the cell is gone, are nobody's measurement.
    let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(size)));
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call goes to the system's allocator with its arguments unchanged. Without unsafe code an allocator
// can not be put in between, and the memory of the whole process says nothing while other tests run in it.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Does `work` and gives the size of the largest allocation this thread made meanwhile.
pub fn largest_allocation<T>(work: impl FnOnce() -> T) -> (T, usize) {
    LARGEST.set(0);
    let result = work();
    (result, LARGEST.get())
}

/// Does `work` and gives how often this thread asked for memory meanwhile.
pub fn allocations<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = COUNT.get();
    let result = work();
    (result, COUNT.get() - before)
}

#[test]
fn the_measurement_measures() {
    let (bytes, largest) = largest_allocation(|| vec![1u8; 300_000]);
    assert_eq!((bytes.len(), largest), (300_000, 300_000));
    let (boxes, count) = allocations(|| [Box::new(1), Box::new(2)]);
    assert_eq!((boxes.map(|number| *number), count), ([1, 2], 2));
}
