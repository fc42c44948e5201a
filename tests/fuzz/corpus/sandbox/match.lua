return ('a'):rep(60):find(('a*'):rep(40) .. 'b'), ('x(y)z'):gsub('%b()', '%0%%'), ('THE fox'):find('%f[%a]%a+%f[%A]()')
