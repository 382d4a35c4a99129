/*
 * The turns of the writer (GroupCommit.cs), step by step, for spin: callers who lead or queue, threads of the pool who
 * take up the turn, the thread of the log with its repairs, and the end. Shown for every order of their steps: never two
 * in the writer, and at the end of all nobody who waits.
 *
 *   spin -a writer-turns.pml && gcc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan -m1000000
 *
 * -DTWICE, -DUNSEEN, -DHELD and -DLATE plant four mistakes that were there once; each must be caught.
 */
#define CALLERS 2
#define WORKERS 2

byte busy, waiting;      /* _busy, _waiting: how many */
byte syncing, behind;    /* _syncing, _behind: 0 for none, else one more than the commands of the batch */
bool handedOver;         /* _handedOver */
bool closed, joined;     /* _closed; the thread of the log has ended */
byte pooled;             /* work items of the pool that call Lead */
byte inside;             /* how many are in the writer */
byte came, told, finished;

inline NextTurn() {
#ifdef HELD
  busy = 0;
#else
  if :: closed :: else -> busy = 0 fi;
#endif
  if :: waiting > 0 -> pooled++ :: else fi
}

inline Work() { inside++; assert(inside == 1) }

inline Lead() {
  atomic { if :: busy == 0 -> busy = 1; leads = true :: else -> leads = false fi }
  if
  :: leads ->
     Work();
     taken = 0;
     do
     :: atomic { waiting > 0 -> waiting--; taken++ }
     :: taken > 0 -> break          /* a batch may leave some to the next one */
     :: waiting == 0 -> break
     od;
     inside--;
     atomic {                       /* HandOver: under its lock */
       if
       :: syncing != 0 -> assert(behind == 0); behind = taken + 1; isBehind = true
       :: else -> syncing = taken + 1; isBehind = false
       fi
     }
     if :: !isBehind -> handedOver = true; NextTurn() :: else fi
  :: else
  fi
}

inline FailWaiting() { do :: atomic { waiting > 0 -> waiting--; told++ } :: waiting == 0 -> break od }

proctype Caller() {
  byte taken; bool leads, isBehind;
  if
  :: closed
  :: else ->
     came++;
     waiting++;
     Lead();
#ifndef LATE
     if :: closed -> FailWaiting() :: else fi
#endif
  fi;
  finished++
}

proctype Pool() {
  byte taken; bool leads, isBehind;
  end: do :: atomic { pooled > 0 -> pooled-- } Lead() od
}

proctype Log() {
  byte batch, other, next; bool isLast;
  do
  :: atomic { handedOver -> handedOver = false }
#ifndef UNSEEN
     isLast = closed;
#endif
     do
     :: syncing != 0 ->
        batch = syncing;
        if
        :: told = told + (batch - 1)                               /* Settle */
        :: other = 0;                                              /* Repair: the sync failed */
           do                                                      /* TakeTurn */
           :: atomic { behind != 0 -> other = behind; behind = 0; break }
           :: atomic { behind == 0 && busy == 0 -> busy = 1; break }
#ifndef HELD
           :: atomic { behind == 0 && closed -> break }
#endif
           od;
           Work();
           told = told + (batch - 1);
           if :: other > 0 -> told = told + (other - 1) :: else fi;
           inside--;
           NextTurn()
        fi;
        atomic { next = behind; syncing = behind; behind = 0 }     /* TakeNext: under its lock */
#ifdef TWICE
        next = syncing;
#endif
        if :: next != 0 -> NextTurn() :: else fi
     :: syncing == 0 -> break
     od;
#ifdef UNSEEN
     isLast = closed;
#endif
     if :: isLast -> joined = true; break :: else fi
  od
}

proctype Close() {
  atomic { busy == 0 -> busy = 1 }
  closed = true;
  handedOver = true;
  joined;
  FailWaiting();
  assert(syncing == 0 && behind == 0)
}

init {
  byte i;
  atomic {
    for (i : 1 .. CALLERS) { run Caller() }
    for (i : 1 .. WORKERS) { run Pool() }
    run Log();
    run Close()
  }
  timeout; /* nobody can take another step */
  assert(finished == CALLERS && joined && told == came && waiting == 0)
}
