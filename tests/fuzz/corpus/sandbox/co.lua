local f = coroutine.wrap(function(a) local b <close> = setmetatable({}, {__close = print}) coroutine.yield(a) error({}) end) f(1) return xpcall(f, print), coroutine.close(coroutine.create(print))
